namespace OpenHands.Dashboard.Telemetry;

/// <summary>How the values of an instrument are read.</summary>
internal enum InstrumentKind
{
    /// <summary>A value that goes up and down.</summary>
    Gauge,

    /// <summary>A value that only grows.</summary>
    Counter,

    /// <summary>Many values, in buckets.</summary>
    Histogram,
}
