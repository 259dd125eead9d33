using System.CommandLine;
using Npgsql;
using OpenHands.Storage.Secrets;

namespace OpenHands.Cli.Terminal;

/// <summary>Makes commands that all behave alike: results on standard output, progress and complaints on standard error, exit codes 0, 1 and 2.</summary>
internal sealed class Verbs(TextWriter output, TextWriter error, TimeProvider time, IReadOnlyDictionary<string, string?>? settings)
{
    /// <summary>Exit code of a command that could not do its work, or found something.</summary>
    public const int Failed = 1;

    /// <summary>Exit code of a command line that is not understood.</summary>
    public const int NotUnderstood = 2;

    private const int Interrupted = 130;

    /// <summary>Answers in JSON instead of text.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Answer in JSON.", Recursive = true };

    /// <summary>The data directory of an embedded host, whose passwords and ports are used.</summary>
    public Option<DirectoryInfo?> AppData { get; } = new("--app-data")
    {
        Description = "Data directory of an application that runs under the embedded host (its --Data:Directory): connection strings and key are taken from there. Without it they come from the environment (ConnectionStrings__<name>).",
        Recursive = true,
        HelpName = "folder",
    };

    /// <summary>A command.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="about">What it does.</param>
    /// <param name="runAsync">Does it.</param>
    /// <param name="symbols">Its options and arguments.</param>
    public Command Verb(string name, string about, Func<Work, CancellationToken, Task<Outcome>> runAsync, params Symbol[] symbols)
    {
        var command = new Command(name, about);
        foreach (var symbol in symbols)
        {
            if (symbol is Option option)
                command.Options.Add(option);
            else
                command.Arguments.Add((Argument)symbol);
        }

        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, runAsync, cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Func<Work, CancellationToken, Task<Outcome>> runAsync, CancellationToken cancellationToken)
    {
        try
        {
            var outcome = await runAsync(new Work(parsed, Installation.Find(parsed.GetValue(AppData), settings), error, time), cancellationToken);
            await output.WriteLineAsync(parsed.GetValue(Json) ? outcome.ToJson() : outcome.Text);
            return outcome.IsGood ? 0 : Failed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped. What was done stays done; the command can be given again.");
            return Interrupted;
        }
        catch (Exception failure) when (Explain(failure) is { } explanation)
        {
            await error.WriteLineAsync(explanation);
            return Failed;
        }
    }

    // The message alone. What cannot be parsed may contain a password: it is not repeated.
    private static string? Explain(Exception failure) => failure switch
    {
        OperatorException or KeyRingMismatchException or InvalidOperationException => failure.Message,
        PostgresException refused => $"PostgreSQL refused: {refused.MessageText}",
        NpgsqlException => $"PostgreSQL cannot be reached: {failure.GetBaseException().Message}",
        IOException or UnauthorizedAccessException => failure.Message,
        SecretRefusedException => failure.Message,
        _ => null,
    };
}
