using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>A structured log line.</summary>
internal sealed record LogEntry
{
    private const int Overhead = 200;

    /// <summary>Counted from 1 in the order they came.</summary>
    public required long Id { get; init; }

    /// <summary>When it was written (UTC).</summary>
    public required DateTime Time { get; init; }

    /// <summary>1 to 24, as OpenTelemetry counts; see <see cref="Severity"/>.</summary>
    public required int Level { get; init; }

    /// <summary>The line.</summary>
    public required string Message { get; init; }

    /// <summary>What wrote it: a logger's category.</summary>
    public required string Category { get; init; }

    /// <summary>Who sent it.</summary>
    public required TelemetrySource Source { get; init; }

    /// <summary>What goes with it.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Attributes { get; init; }

    /// <summary>The trace it belongs to, in hexadecimal digits; empty for none.</summary>
    public required string TraceId { get; init; }

    /// <summary>The span it belongs to; empty for none.</summary>
    public required string SpanId { get; init; }

    /// <summary>About the bytes it takes.</summary>
    public int Size => Overhead + (2 * Message.Length) + Telemetry.Attributes.Size(Attributes);

    /// <summary>Takes a line over.</summary>
    public static LogEntry Read(long id, TelemetrySource source, string category, LogRecord record)
    {
        var attributes = Telemetry.Attributes.Read(record.Attributes);
        var message = Telemetry.Attributes.Text(record.Body);
        return new LogEntry
        {
            Id = id,
            Time = NanoTime.Read(record.TimeUnixNano != 0 ? record.TimeUnixNano : record.ObservedTimeUnixNano),
            Level = Math.Clamp(record.SeverityNumber, 0, Severity.Highest),
            Message = message.Length > 0 ? message : attributes.Find("{OriginalFormat}") ?? "",
            Category = category,
            Source = source,
            Attributes = attributes,
            TraceId = SpanEntry.Hex(record.TraceId),
            SpanId = SpanEntry.Hex(record.SpanId),
        };
    }
}
