using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>The latest values of every instrument, of each replica and set of attributes.</summary>
internal sealed class MetricStore
{
    /// <summary>How many series are kept in all; what comes after them is left out.</summary>
    public const int MostSeries = 4_000;

    /// <summary>How many series are kept of one instrument.</summary>
    public const int MostSeriesOfInstrument = 200;

    private readonly Lock _lock = new();
    private readonly Dictionary<InstrumentKey, Instrument> _instruments = [];
    private int _series;
    private long _version;

    /// <summary>Grows with every export.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Takes values over; returns how many data points were refused.</summary>
    public int Add(ExportMetricsServiceRequest request)
    {
        var refused = 0;
        lock (_lock)
        {
            _version++;
            foreach (var resource in request.ResourceMetrics)
            {
                var source = TelemetrySource.Read(resource.Resource);
                foreach (var scope in resource.ScopeMetrics)
                {
                    foreach (var metric in scope.Metrics)
                    {
                        refused += Add(source, scope.Scope?.Name ?? "", metric);
                    }
                }
            }
        }

        return refused;
    }

    /// <summary>The instruments of a service, by meter and name; all of them when null.</summary>
    public IReadOnlyList<InstrumentView> Find(string? service)
    {
        lock (_lock)
        {
            return [.. _instruments.Values.Where(instrument => service is null || instrument.Key.Source.Service == service)
                .Select(instrument => instrument.View())
                .OrderBy(view => view.Key.Meter, StringComparer.Ordinal).ThenBy(view => view.Key.Name, StringComparer.Ordinal).ThenBy(view => view.Key.Source.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>The services that have sent values.</summary>
    public IReadOnlyList<string> Services()
    {
        lock (_lock)
        {
            return [.. _instruments.Keys.Select(key => key.Source.Service).Distinct().Order(StringComparer.Ordinal)];
        }
    }

    private int Add(TelemetrySource source, string meter, Metric metric)
    {
        var points = MetricPoint.Read(metric);
        if (points.Count == 0)
        {
            return 0;
        }

        const int longest = 256;
        var key = new InstrumentKey(source, Attributes.Cut(meter, longest), Attributes.Cut(metric.Name, longest));
        if (!_instruments.TryGetValue(key, out var instrument))
        {
            if (_series >= MostSeries)
            {
                return points.Count;
            }

            _instruments[key] = instrument = new Instrument(key, metric);
        }

        var refused = 0;
        foreach (var point in points)
        {
            switch (instrument.Add(point, _series < MostSeries))
            {
                case null:
                    refused++;
                    break;
                case true:
                    _series++;
                    break;
                default:
                    break;
            }
        }

        return refused;
    }
}
