namespace OpenHands.Hosting.Dashboard;

/// <summary>Where the projects send logs, traces and metrics.</summary>
internal sealed class TelemetryTarget
{
    /// <summary>An OTLP address; null sends none.</summary>
    public string? Endpoint { get; set; }

    /// <summary>The key that goes with it; null sends none.</summary>
    public string? ApiKey { get; set; }
}
