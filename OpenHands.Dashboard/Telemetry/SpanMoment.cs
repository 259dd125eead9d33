using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>Something that happened during a span, such as an exception.</summary>
/// <param name="Time">When (UTC).</param>
/// <param name="Name">What.</param>
/// <param name="Attributes">What goes with it.</param>
internal sealed record SpanMoment(DateTime Time, string Name, IReadOnlyList<KeyValuePair<string, string>> Attributes)
{
    private const int Overhead = 100;
    private const int LongestName = 256;

    /// <summary>About the bytes it takes.</summary>
    public int Size => Overhead + Telemetry.Attributes.Size(Attributes);

    /// <summary>Takes it over.</summary>
    public static SpanMoment Read(SpanEvent moment) =>
        new(NanoTime.Read(moment.TimeUnixNano), Telemetry.Attributes.Cut(moment.Name, LongestName), Telemetry.Attributes.Read(moment.Attributes));
}
