using Google.Protobuf;
using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>One step of a trace.</summary>
internal sealed record SpanEntry
{
    private const int Overhead = 320;
    private const int Error = 2;
    private const int LongestName = 512;
    private const int LongestId = 16;
    private const int MostEvents = 16;
    private static readonly string[] Kinds = ["", "internal", "server", "client", "producer", "consumer"];

    /// <summary>The trace, in hexadecimal digits.</summary>
    public required string TraceId { get; init; }

    /// <summary>The span, in hexadecimal digits.</summary>
    public required string SpanId { get; init; }

    /// <summary>The span that caused it; empty for the first.</summary>
    public required string ParentId { get; init; }

    /// <summary>What is done.</summary>
    public required string Name { get; init; }

    /// <summary>internal, server, client, producer or consumer.</summary>
    public required string Kind { get; init; }

    /// <summary>When it began (UTC).</summary>
    public required DateTime Start { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>True when it failed.</summary>
    public required bool IsError { get; init; }

    /// <summary>Why it failed, when somebody said so.</summary>
    public required string StatusMessage { get; init; }

    /// <summary>Who did it.</summary>
    public required TelemetrySource Source { get; init; }

    /// <summary>What recorded it.</summary>
    public required string Scope { get; init; }

    /// <summary>What goes with it.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Attributes { get; init; }

    /// <summary>What happened meanwhile.</summary>
    public required IReadOnlyList<SpanMoment> Events { get; init; }

    /// <summary>When it ended (UTC).</summary>
    public DateTime End => Start + Duration;

    /// <summary>The system it talked to, such as postgresql or redis; null for none.</summary>
    public string? Peer => Attributes.Find("db.system.name") ?? Attributes.Find("db.system") ?? Attributes.Find("messaging.system");

    /// <summary>About the bytes it takes.</summary>
    public int Size => Overhead + (2 * Name.Length) + Telemetry.Attributes.Size(Attributes) + Events.Sum(moment => moment.Size);

    /// <summary>Takes a span over.</summary>
    public static SpanEntry Read(TelemetrySource source, string scope, Span span)
    {
        var start = NanoTime.Read(span.StartTimeUnixNano);
        var end = NanoTime.Read(span.EndTimeUnixNano);
        return new SpanEntry
        {
            TraceId = Hex(span.TraceId),
            SpanId = Hex(span.SpanId),
            ParentId = Hex(span.ParentSpanId),
            Name = Telemetry.Attributes.Cut(span.Name, LongestName),
            Kind = span.Kind >= 0 && span.Kind < Kinds.Length ? Kinds[span.Kind] : "",
            Start = start,
            Duration = end > start ? end - start : TimeSpan.Zero,
            IsError = span.Status?.Code == Error,
            StatusMessage = Telemetry.Attributes.Cut(span.Status?.Message ?? "", Telemetry.Attributes.LongestValue),
            Source = source,
            Scope = scope,
            Attributes = Telemetry.Attributes.Read(span.Attributes),
            Events = [.. span.Events.Take(MostEvents).Select(SpanMoment.Read)],
        };
    }

    /// <summary>An id in hexadecimal digits.</summary>
    public static string Hex(ByteString id) => id.IsEmpty ? "" : Convert.ToHexStringLower(id.Span[..Math.Min(id.Length, LongestId)]);
}
