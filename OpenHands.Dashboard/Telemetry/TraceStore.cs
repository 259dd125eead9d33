using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>The newest traces: by their first span, whatever the order in which the others come.</summary>
internal sealed class TraceStore
{
    /// <summary>How many traces are kept.</summary>
    public const int Capacity = 10_000;

    /// <summary>How many spans are kept of one trace.</summary>
    public const int MostSpans = 2_000;

    /// <summary>How many bytes all spans may take.</summary>
    public const long MostBytes = 28 * 1024 * 1024;

    private const int MostServices = 200;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Collected> _traces = [];
    private readonly Queue<Collected> _order = new();
    private readonly SortedSet<string> _services = new(StringComparer.Ordinal);
    private long _bytes;
    private long _version;

    /// <summary>Grows with every span.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>About the bytes that the spans take.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Takes spans over; returns how many were refused because their trace has too many, or none.</summary>
    public int Add(ExportTraceServiceRequest request)
    {
        var refused = 0;
        foreach (var resource in request.ResourceSpans)
        {
            var source = TelemetrySource.Read(resource.Resource);
            foreach (var scope in resource.ScopeSpans)
            {
                var name = Names.Shared(Attributes.Cut(scope.Scope?.Name ?? "", Attributes.LongestValue));
                foreach (var span in scope.Spans)
                {
                    refused += !span.TraceId.IsEmpty && !span.SpanId.IsEmpty && Add(SpanEntry.Read(source, name, span)) ? 0 : 1;
                }
            }
        }

        return refused;
    }

    /// <summary>The newest traces that a filter lets through, newest first.</summary>
    public IReadOnlyList<TraceEntry> Find(Func<TraceEntry, bool> filter, int most)
    {
        TraceEntry[] traces;
        lock (_lock)
        {
            traces = [.. _order.Select(collected => collected.Entry)];
        }

        return [.. traces.Reverse().Where(filter).Take(most).OrderByDescending(trace => trace.Start)];
    }

    /// <summary>One trace; null when it is not here any more.</summary>
    public TraceEntry? Find(string id)
    {
        lock (_lock)
        {
            return _traces.GetValueOrDefault(id)?.Entry;
        }
    }

    /// <summary>The services that have taken part.</summary>
    public IReadOnlyList<string> Services()
    {
        lock (_lock)
        {
            return [.. _services];
        }
    }

    /// <summary>How many traces are kept.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _traces.Count;
            }
        }
    }

    private bool Add(SpanEntry span)
    {
        lock (_lock)
        {
            if (!_traces.TryGetValue(span.TraceId, out var trace))
            {
                _traces[span.TraceId] = trace = new Collected(span.TraceId);
                _order.Enqueue(trace);
            }

            if (!trace.TryAdd(span))
            {
                return false;
            }

            _bytes += span.Size;
            _version++;
            if (_services.Count < MostServices)
            {
                _services.Add(span.Source.Service);
            }

            while (_traces.Count > Capacity || (_bytes > MostBytes && _traces.Count > 1))
            {
                var oldest = _order.Dequeue();
                _traces.Remove(oldest.Id);
                _bytes -= oldest.Bytes;
            }

            return true;
        }
    }

    /// <summary>A trace that still gets spans; the entry shown is made when somebody looks.</summary>
    private sealed class Collected(string id)
    {
        private readonly List<SpanEntry> _spans = [];
        private TraceEntry? _entry;

        public string Id => id;

        public long Bytes { get; private set; }

        public TraceEntry Entry => _entry ??= new TraceEntry(id, [.. _spans]);

        public bool TryAdd(SpanEntry span)
        {
            if (_spans.Count >= MostSpans || Bytes > MostBytes / 4)
            {
                return false;
            }

            _spans.Add(span);
            Bytes += span.Size;
            _entry = null;
            return true;
        }
    }
}
