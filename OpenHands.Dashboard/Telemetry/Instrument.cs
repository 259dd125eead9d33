using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>An instrument of one replica, with a series for each set of attributes.</summary>
internal sealed class Instrument
{
    private const int Cumulative = 2;
    private const int LongestText = 512;
    private readonly Dictionary<string, Series> _series = [];
    private readonly (string Description, string Unit) _text;
    private readonly InstrumentKind _kind;
    private readonly bool _cumulative;

    /// <summary>An instrument as its first export describes it.</summary>
    public Instrument(InstrumentKey key, Metric metric)
    {
        Key = key;
        _text = (Names.Shared(Attributes.Cut(metric.Description, LongestText)), Names.Shared(Attributes.Cut(metric.Unit, LongestText)));
        (_kind, _cumulative) = metric.DataCase switch
        {
            Metric.DataOneofCase.Sum => (metric.Sum.IsMonotonic ? InstrumentKind.Counter : InstrumentKind.Gauge, metric.Sum.AggregationTemporality == Cumulative),
            Metric.DataOneofCase.Histogram => (InstrumentKind.Histogram, metric.Histogram.AggregationTemporality == Cumulative),
            Metric.DataOneofCase.ExponentialHistogram => (InstrumentKind.Histogram, metric.ExponentialHistogram.AggregationTemporality == Cumulative),
            Metric.DataOneofCase.Summary => (InstrumentKind.Histogram, true),
            _ => (InstrumentKind.Gauge, true),
        };
    }

    /// <summary>Whose it is, and its name.</summary>
    public InstrumentKey Key { get; }

    /// <summary>Takes a value over: true for a new series, false for a known one, null when there is no room for it.</summary>
    public bool? Add(MetricPoint point, bool roomForMore)
    {
        var name = string.Join(", ", point.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Select(attribute => $"{attribute.Key}={attribute.Value}"));
        if (_series.TryGetValue(name, out var series))
        {
            series.Add(point);
            return false;
        }

        if (!roomForMore || _series.Count >= MetricStore.MostSeriesOfInstrument)
        {
            return null;
        }

        _series[name] = series = new Series(name, point.Attributes, _kind, _cumulative);
        series.Add(point);
        return true;
    }

    /// <summary>What there is to see of it now.</summary>
    public InstrumentView View() => new(Key, _text.Description, _text.Unit, _kind, [.. _series.Values.Select(series => series.View())]);
}
