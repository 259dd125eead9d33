extern alias dashboard;

using dashboard::OpenHands.Dashboard.Otlp.Protocol;
using Google.Protobuf;

namespace OpenHands.Tests.Dashboard;

/// <summary>Telemetry as a service sends it.</summary>
internal static class Sent
{
    private const ulong Second = 1_000_000_000;
    private const ulong Start = 1_700_000_000 * Second;

    public static OtlpResource Service(string name, string instance = "one") =>
        new() { Attributes = { Attribute("service.name", name), Attribute("service.instance.id", instance) } };

    public static KeyValue Attribute(string name, string value) => new() { Key = name, Value = new AnyValue { StringValue = value } };

    public static ByteString Id(int number, int bytes) => ByteString.CopyFrom([.. new byte[bytes - 4], .. BitConverter.GetBytes(number).Reverse()]);

    public static Span Span(int trace, int id, int parent = 0, int start = 0, int milliseconds = 10, string name = "step") => new()
    {
        TraceId = Id(trace, 16),
        SpanId = Id(id, 8),
        ParentSpanId = parent == 0 ? ByteString.Empty : Id(parent, 8),
        Name = name,
        Kind = 2,
        StartTimeUnixNano = Start + ((ulong)start * 1_000_000),
        EndTimeUnixNano = Start + ((ulong)(start + milliseconds) * 1_000_000),
    };

    public static ExportTraceServiceRequest Traces(params IEnumerable<Span> spans) =>
        new() { ResourceSpans = { new ResourceSpans { Resource = Service("api"), ScopeSpans = { new ScopeSpans { Spans = { spans } } } } } };

    public static ExportLogsServiceRequest Logs(params IEnumerable<string> lines) => new()
    {
        ResourceLogs =
        {
            new ResourceLogs
            {
                Resource = Service("api"),
                ScopeLogs =
                {
                    new ScopeLogs
                    {
                        Scope = new InstrumentationScope { Name = "Category" },
                        LogRecords = { lines.Select(line => new LogRecord { TimeUnixNano = Start, SeverityNumber = 9, Body = new AnyValue { StringValue = line }, TraceId = Id(1, 16) }) },
                    },
                },
            },
        },
    };

    public static ExportMetricsServiceRequest Metrics(params IEnumerable<Metric> metrics) => new()
    {
        ResourceMetrics =
        {
            new ResourceMetrics { Resource = Service("api"), ScopeMetrics = { new ScopeMetrics { Scope = new InstrumentationScope { Name = "Meter" }, Metrics = { metrics } } } },
        },
    };
}
