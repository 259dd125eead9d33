namespace OpenHands.Dashboard.Telemetry;

/// <summary>An instrument of one replica.</summary>
/// <param name="Source">The replica.</param>
/// <param name="Meter">The meter it belongs to.</param>
/// <param name="Name">Its name.</param>
internal sealed record InstrumentKey(TelemetrySource Source, string Meter, string Name);
