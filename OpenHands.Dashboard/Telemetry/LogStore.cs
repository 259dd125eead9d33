using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>The newest structured log lines.</summary>
internal sealed class LogStore
{
    /// <summary>How many lines are kept.</summary>
    public const int Capacity = 10_000;

    /// <summary>How many bytes they may take.</summary>
    public const long MostBytes = 12 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Ring<LogEntry> _entries = new(Capacity, MostBytes, entry => entry.Size);
    private long _count;

    /// <summary>Grows with every line.</summary>
    public long Version => Interlocked.Read(ref _count);

    /// <summary>Takes lines over.</summary>
    public void Add(ExportLogsServiceRequest request)
    {
        foreach (var resource in request.ResourceLogs)
        {
            var source = TelemetrySource.Read(resource.Resource);
            foreach (var scope in resource.ScopeLogs)
            {
                var category = Names.Shared(Attributes.Cut(scope.Scope?.Name ?? "", Attributes.LongestValue));
                lock (_lock)
                {
                    foreach (var record in scope.LogRecords)
                    {
                        _entries.Add(LogEntry.Read(++_count, source, category, record));
                    }
                }
            }
        }
    }

    /// <summary>The newest lines that a filter lets through, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="most">How many at most.</param>
    public IReadOnlyList<LogEntry> Find(Func<LogEntry, bool> filter, int most)
    {
        LogEntry[] entries;
        lock (_lock)
        {
            entries = [.. _entries.Entries];
        }

        // Services send in turns of a second: their lines are put in order among each other.
        return [.. entries.Reverse().Where(filter).Take(most).OrderByDescending(entry => entry.Time)];
    }

    /// <summary>The services that have written.</summary>
    public IReadOnlyList<string> Services()
    {
        lock (_lock)
        {
            return [.. _entries.Entries.Select(entry => entry.Source.Service).Distinct().Order(StringComparer.Ordinal)];
        }
    }
}
