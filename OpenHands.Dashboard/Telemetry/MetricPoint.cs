using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>One value that was sent, whatever the kind of instrument.</summary>
/// <param name="Time">When (UTC).</param>
/// <param name="Attributes">Which series.</param>
/// <param name="Value">The value; of a histogram the sum.</param>
/// <param name="Count">Of a histogram how many values; null for others.</param>
/// <param name="Buckets">Of a histogram the counts.</param>
/// <param name="Bounds">Of a histogram the upper bounds; one fewer than the counts.</param>
internal sealed record MetricPoint(
    DateTime Time, KeyValuePair<string, string>[] Attributes, double Value, double? Count = null, double[]? Buckets = null, double[]? Bounds = null)
{
    private const int MostBuckets = 64;
    private const int MostPoints = 2_000;

    /// <summary>The values of a metric.</summary>
    public static IReadOnlyList<MetricPoint> Read(Metric metric) => metric.DataCase switch
    {
        Metric.DataOneofCase.Gauge => [.. metric.Gauge.DataPoints.Take(MostPoints).Select(Read)],
        Metric.DataOneofCase.Sum => [.. metric.Sum.DataPoints.Take(MostPoints).Select(Read)],
        Metric.DataOneofCase.Histogram => [.. metric.Histogram.DataPoints.Take(MostPoints).Select(Read)],
        Metric.DataOneofCase.ExponentialHistogram => [.. metric.ExponentialHistogram.DataPoints.Take(MostPoints)
            .Select(point => new MetricPoint(NanoTime.Read(point.TimeUnixNano), Telemetry.Attributes.Read(point.Attributes), point.Sum, point.Count))],
        Metric.DataOneofCase.Summary => [.. metric.Summary.DataPoints.Take(MostPoints)
            .Select(point => new MetricPoint(NanoTime.Read(point.TimeUnixNano), Telemetry.Attributes.Read(point.Attributes), point.Sum, point.Count))],
        _ => [],
    };

    private static MetricPoint Read(NumberDataPoint point) => new(
        NanoTime.Read(point.TimeUnixNano),
        Telemetry.Attributes.Read(point.Attributes),
        point.ValueCase == NumberDataPoint.ValueOneofCase.AsInt ? point.AsInt : point.AsDouble);

    private static MetricPoint Read(HistogramDataPoint point)
    {
        var wellFormed = point.BucketCounts.Count == point.ExplicitBounds.Count + 1 && point.BucketCounts.Count <= MostBuckets;
        return new MetricPoint(
            NanoTime.Read(point.TimeUnixNano), Telemetry.Attributes.Read(point.Attributes), point.Sum, point.Count,
            wellFormed ? [.. point.BucketCounts.Select(count => (double)count)] : null,
            wellFormed ? [.. point.ExplicitBounds] : null);
    }
}
