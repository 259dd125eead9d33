namespace OpenHands.Dashboard.Telemetry;

/// <summary>The last two minutes or so of one series.</summary>
/// <param name="name">Its attributes as text.</param>
/// <param name="attributes">Its attributes.</param>
/// <param name="kind">How its values are read.</param>
/// <param name="cumulative">True when a counter or histogram sends everything since its start, false for what is new.</param>
internal sealed class Series(string name, IReadOnlyList<KeyValuePair<string, string>> attributes, InstrumentKind kind, bool cumulative)
{
    private const int Capacity = 120;
    private const double Half = 0.5;
    private const double AlmostAll = 0.99;
    private readonly Queue<double> _points = new(Capacity);
    private double _total;
    private double[]? _buckets;
    private (double Median, double NinetyNinth)? _quantiles;
    private DateTime _time;
    private bool _begun;

    /// <summary>Takes a value over.</summary>
    public void Add(MetricPoint point)
    {
        var value = kind == InstrumentKind.Histogram ? point.Count ?? 0 : point.Value;
        if (!double.IsFinite(value))
        {
            return;
        }

        var change = !cumulative ? value : value < _total ? value : value - _total;
        // What a counter had before somebody looked belongs to no interval.
        _points.Enqueue(kind == InstrumentKind.Gauge ? value : _begun || !cumulative ? change : 0);
        if (_points.Count > Capacity)
        {
            _points.Dequeue();
        }

        (_total, _begun, _time) = (kind != InstrumentKind.Gauge && !cumulative ? _total + value : value, true, point.Time);
        ReadBuckets(point);
    }

    /// <summary>What there is to see of it now.</summary>
    public SeriesView View() => new(name, attributes, _total, _quantiles?.Median, _quantiles?.NinetyNinth, [.. _points], _time);

    private void ReadBuckets(MetricPoint point)
    {
        if (point.Buckets is not { } now || point.Bounds is not { Length: > 0 } bounds)
        {
            return;
        }

        var before = cumulative && _buckets is { } known && known.Length == now.Length && known.Zip(now).All(pair => pair.First <= pair.Second) ? _buckets : null;
        var interval = before is null ? now : [.. now.Zip(before, (a, b) => a - b)];
        _buckets = now;
        if (interval.Sum() > 0)
        {
            _quantiles = (Quantile(interval, bounds, Half), Quantile(interval, bounds, AlmostAll));
        }
    }

    /// <summary>Within a bucket the values are taken as spread evenly.</summary>
    private static double Quantile(double[] counts, double[] bounds, double share)
    {
        var rank = share * counts.Sum();
        var below = 0.0;
        for (var i = 0; i < bounds.Length; i++)
        {
            if (below + counts[i] >= rank && counts[i] > 0)
            {
                var from = i == 0 ? Math.Min(0, bounds[0]) : bounds[i - 1];
                return from + ((bounds[i] - from) * (rank - below) / counts[i]);
            }

            below += counts[i];
        }

        return bounds[^1];
    }
}
