namespace OpenHands.Dashboard.Telemetry;

/// <summary>The protocol's time: nanoseconds since 1970.</summary>
internal static class NanoTime
{
    private const long Tick = 100;
    private static readonly long Latest = (DateTime.MaxValue - DateTime.UnixEpoch).Ticks;

    /// <summary>The moment, to the tick; nonsense from a sender becomes the nearest moment there is.</summary>
    public static DateTime Read(ulong nanoseconds) =>
        DateTime.UnixEpoch.AddTicks((long)Math.Min(nanoseconds / (ulong)Tick, (ulong)Latest));
}
