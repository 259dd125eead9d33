namespace OpenHands.Hosting.Terminal;

/// <summary>The arguments the AppHost was started with.</summary>
/// <param name="Arguments">As they were given.</param>
internal sealed record CommandLine(IReadOnlyList<string> Arguments)
{
    private static readonly string[] HelpOptions = ["--help", "-h", "-?"];

    /// <summary>True when the user asks what there is to choose.</summary>
    public bool AsksForHelp => Arguments.Any(HelpOptions.Contains);
}
