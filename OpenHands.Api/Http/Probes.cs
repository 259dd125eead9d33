namespace OpenHands.Api.Http;

/// <summary>The addresses that an orchestrator asks: from other machines, by address, and often.</summary>
internal static class Probes
{
    /// <summary>Whether the request is for one.</summary>
    public static bool Has(PathString path) =>
        string.Equals(path.Value, "/health", StringComparison.OrdinalIgnoreCase) || string.Equals(path.Value, "/alive", StringComparison.OrdinalIgnoreCase);
}
