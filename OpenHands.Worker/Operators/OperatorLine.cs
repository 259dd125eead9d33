using System.Globalization;

namespace OpenHands.Worker.Operators;

/// <summary>A command line of an operator: words, options of theirs, and configuration.</summary>
internal sealed class OperatorLine
{
    private static readonly Dictionary<string, (int Least, int Most)?> Options = new()
    {
        ["queue"] = null,
        ["status"] = null,
        ["type"] = null,
        ["most"] = (1, 100_000),
        ["most-per-tenant"] = (1, 100_000),
        ["minutes"] = (1, 1440),
    };

    private readonly Dictionary<string, string> _options = [];

    private OperatorLine()
    {
    }

    /// <summary>The words, the verb first.</summary>
    public string[] Words { get; private set; } = [];

    /// <summary>Arguments for the configuration.</summary>
    public string[] Configuration { get; private set; } = [];

    /// <summary>True when the answer is to be JSON.</summary>
    public bool Json { get; private set; }

    /// <summary>What is wrong; null for nothing.</summary>
    public string? Complaint { get; private set; }

    /// <summary>Reads a command line.</summary>
    public static OperatorLine Parse(string[] args)
    {
        var (line, words, configuration) = (new OperatorLine(), new List<string>(), new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            var parts = args[i].Split('=', 2);
            var name = parts[0].StartsWith("--", StringComparison.Ordinal) ? parts[0][2..] : null;
            if (name is null)
                words.Add(args[i]);
            else if (name == "json" && parts.Length == 1)
                line.Json = true;
            else if (name.Contains(':') && parts.Length == 2)
                configuration.Add(args[i]);
            else if (Options.ContainsKey(name) && (parts.Length == 2 || i + 1 < args.Length))
                line.Take(name, parts.Length == 2 ? parts[1] : args[++i]);
            else
                line.Complaint ??= $"'{args[i]}' is not understood.";
        }

        (line.Words, line.Configuration) = ([.. words], [.. configuration]);
        return line;
    }

    /// <summary>An option as text; null when it is not given.</summary>
    public string? Text(string name) => _options.GetValueOrDefault(name);

    /// <summary>An option as a number; null when it is not given.</summary>
    public int? NumberOrNull(string name) => _options.TryGetValue(name, out var value) ? int.Parse(value, CultureInfo.InvariantCulture) : null;

    /// <summary>An option as a number.</summary>
    public int Number(string name, int otherwise) => NumberOrNull(name) ?? otherwise;

    private void Take(string name, string value)
    {
        if (Options[name] is var (least, most) && !(int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most))
            Complaint ??= $"--{name} must be a number from {least} to {most}.";
        _options[name] = value;
    }
}
