namespace OpenHands.Worker;

/// <summary>What the command line asks for.</summary>
internal enum Verb
{
    /// <summary>Nothing that is understood.</summary>
    None,

    /// <summary>The usage.</summary>
    Help,

    /// <summary>Drain queues.</summary>
    Run,

    /// <summary>Bring the database up to date.</summary>
    Migrate,
}

/// <summary>A command line that was read: the verb comes first, everything else is configuration.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="Stays">True to keep serving health after migrating.</param>
/// <param name="Configuration">Arguments for the configuration.</param>
/// <param name="Complaint">What is wrong with the command line; empty when nothing is.</param>
internal sealed record WorkerCommand(Verb Verb, bool Stays, string[] Configuration, string Complaint)
{
    private const string Stay = "--stay";

    /// <summary>Reads a command line.</summary>
    public static WorkerCommand Parse(string[] args)
    {
        if (args.Any(arg => arg is "--help" or "-h" or "-?"))
            return new WorkerCommand(Verb.Help, false, [], "");

        var hasVerb = args.Length > 0 && IsPlain(args[0]);
        var verb = !hasVerb ? Verb.Run : args[0] switch
        {
            "run" => Verb.Run,
            "migrate" => Verb.Migrate,
            "help" => Verb.Help,
            _ => Verb.None,
        };
        if (verb == Verb.None)
            return Reject($"There is no verb '{args[0]}'.");

        var rest = hasVerb ? args[1..] : args;
        var stays = rest.Contains(Stay);
        if (stays && verb != Verb.Migrate)
            return Reject($"{Stay} belongs to the verb migrate.");

        string[] configuration = [.. rest.Where(arg => arg != Stay)];
        return FirstStray(configuration) is { } stray
            ? Reject($"'{stray}' is neither --Key=value nor --Key value; a verb comes first.")
            : new WorkerCommand(verb, stays, configuration, "");
    }

    private static WorkerCommand Reject(string complaint) => new(Verb.None, false, [], complaint);

    /// <summary>An argument that the configuration would ignore without a word: no key, and not the value of the key before it.</summary>
    private static string? FirstStray(string[] configuration)
    {
        var expectsValue = false;
        foreach (var arg in configuration)
        {
            if (IsPlain(arg) && !expectsValue)
                return arg;
            expectsValue = !expectsValue && !arg.Contains('=');
        }

        return null;
    }

    private static bool IsPlain(string arg) => !arg.StartsWith('-') && !arg.StartsWith('/') && !arg.Contains('=');
}
