using System.IO.Enumeration;

namespace OpenHands.Storage.Queues;

/// <summary>Chooses queues by name: a comma-separated list of names and patterns with <c>*</c> and <c>?</c>.</summary>
public sealed class QueueFilter
{
    private readonly string[] _patterns;

    /// <summary>Reads the list; an empty one chooses every queue.</summary>
    public QueueFilter(string? patterns)
    {
        _patterns = (patterns ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (_patterns.Length == 0)
            _patterns = ["*"];
        PlainNames = [.. _patterns.Where(pattern => pattern.AsSpan().IndexOfAny('*', '?') < 0)];
    }

    /// <summary>The names in the list that are no patterns: known without looking for them.</summary>
    public IReadOnlyList<string> PlainNames { get; }

    /// <summary>True when the queue is chosen. Upper and lower case differ.</summary>
    public bool Matches(string queue) =>
        _patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, queue, ignoreCase: false));
}
