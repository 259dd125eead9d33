namespace OpenHands.Hosting.Dashboard;

/// <summary>What an application is called: its AppHost's name without the ending.</summary>
internal sealed record ApplicationName(string Value)
{
    private const string Ending = ".AppHost";

    /// <summary>The name of the application that an AppHost runs.</summary>
    public static ApplicationName Of(string appHost) => new(appHost.EndsWith(Ending, StringComparison.Ordinal) ? appHost[..^Ending.Length] : appHost);
}
