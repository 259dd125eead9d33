namespace OpenHands.Dashboard.Telemetry;

/// <summary>OpenTelemetry's numbers for how grave a log line is, in .NET's words.</summary>
internal static class Severity
{
    /// <summary>The gravest.</summary>
    public const int Highest = 24;

    private const int Steps = 4;

    /// <summary>The words from least to most grave, each with the first of its four numbers.</summary>
    public static IReadOnlyList<(string Name, int From)> Levels { get; } =
        [.. new[] { "Trace", "Debug", "Information", "Warning", "Error", "Critical" }.Select((name, i) => (name, (i * Steps) + 1))];

    /// <summary>The word for a number.</summary>
    public static string Name(int level) => level < 1 ? "Unknown" : Levels[Math.Min((level - 1) / Steps, Levels.Count - 1)].Name;

    /// <summary>The first number of a word; 0, which is all, for no word.</summary>
    public static int From(string? name) => Levels.FirstOrDefault(level => string.Equals(level.Name, name, StringComparison.OrdinalIgnoreCase)).From;
}
