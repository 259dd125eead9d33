namespace OpenHands.Dashboard.Telemetry;

/// <summary>All spans of one trace that have come so far.</summary>
/// <param name="Id">The trace, in hexadecimal digits.</param>
/// <param name="Spans">Its spans, as they came.</param>
internal sealed record TraceEntry(string Id, IReadOnlyList<SpanEntry> Spans)
{
    /// <summary>When its first span began (UTC).</summary>
    public DateTime Start { get; } = Spans.Min(span => span.Start);

    /// <summary>From its first beginning to its last end.</summary>
    public TimeSpan Duration { get; } = Spans.Max(span => span.End) - Spans.Min(span => span.Start);

    /// <summary>The span that began it, or the earliest when that one is not here.</summary>
    public SpanEntry Root { get; } = Spans.Where(span => span.ParentId.Length == 0).MinBy(span => span.Start) ?? Spans.MinBy(span => span.Start)!;

    /// <summary>True when a step failed.</summary>
    public bool IsError { get; } = Spans.Any(span => span.IsError);

    /// <summary>Who took part, with how many spans.</summary>
    public IReadOnlyList<(string Name, int Spans)> Parties { get; } =
        [.. Spans.GroupBy(span => span.Kind == "client" && span.Peer is { } peer ? peer : span.Source.Service).Select(group => (group.Key, group.Count())).OrderBy(party => party.Item1, StringComparer.Ordinal)];

    /// <summary>The spans as a tree: each below the one that caused it, in the order they began, with its depth.</summary>
    public IReadOnlyList<(SpanEntry Span, int Depth)> Tree()
    {
        var known = Spans.Select(span => span.SpanId).ToHashSet();
        var children = Spans.ToLookup(span => known.Contains(span.ParentId) && span.ParentId != span.SpanId ? span.ParentId : "");
        var rows = new List<(SpanEntry, int)>();
        var seen = new HashSet<string>();
        var rest = new Stack<(SpanEntry Span, int Depth)>(children[""].OrderByDescending(span => span.Start).Select(span => (span, 0)));
        while (rest.TryPop(out var row))
        {
            rows.Add(row);
            // A sender may give two spans one id; their children are shown once.
            if (seen.Add(row.Span.SpanId))
            {
                foreach (var child in children[row.Span.SpanId].OrderByDescending(span => span.Start))
                {
                    rest.Push((child, row.Depth + 1));
                }
            }
        }

        return rows;
    }
}
