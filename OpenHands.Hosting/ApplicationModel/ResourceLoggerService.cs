using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Keeps what resources write: the newest lines of each, and everything for those who watch.</summary>
internal sealed class ResourceLoggerService
{
    /// <summary>How many lines of each replica are kept.</summary>
    public const int Capacity = 10_000;

    private readonly ConcurrentDictionary<string, Backlog> _backlogs = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The lines kept of a replica.</summary>
    public IReadOnlyList<LogLine> GetAll(string resourceId) => BacklogOf(resourceId).Lines();

    /// <summary>The lines kept of a replica, then every new one.</summary>
    public IAsyncEnumerable<LogLine> WatchAsync(string resourceId, CancellationToken cancellationToken = default) =>
        BacklogOf(resourceId).WatchAsync(cancellationToken);

    /// <summary>The same, as many lines at a time as there are.</summary>
    internal IAsyncEnumerable<IReadOnlyList<LogLine>> WatchBatchesAsync(string resourceId, CancellationToken cancellationToken) =>
        BacklogOf(resourceId).WatchBatchesAsync(cancellationToken);

    internal void Write(string resourceId, string content, bool isErrorMessage) => BacklogOf(resourceId).Write(content, isErrorMessage);

    private Backlog BacklogOf(string resourceId) => _backlogs.GetOrAdd(resourceId, _ => new Backlog());

    private sealed class Backlog
    {
        private const int LinesInBatch = 1000;
        private readonly Lock _lock = new();
        private readonly Queue<LogLine> _lines = new();
        private ImmutableArray<Channel<LogLine>> _watchers = [];
        private int _count;

        public IReadOnlyList<LogLine> Lines()
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }

        public void Write(string content, bool isErrorMessage)
        {
            lock (_lock)
            {
                var line = new LogLine(++_count, content, isErrorMessage);
                _lines.Enqueue(line);
                if (_lines.Count > Capacity)
                {
                    _lines.Dequeue();
                }

                foreach (var watcher in _watchers)
                {
                    watcher.Writer.TryWrite(line);
                }
            }
        }

        public async IAsyncEnumerable<LogLine> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var lines in WatchBatchesAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var line in lines)
                {
                    yield return line;
                }
            }
        }

        public async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchBatchesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            // A slow reader loses the oldest lines rather than growing the host.
            var channel = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(2 * Capacity) { FullMode = BoundedChannelFullMode.DropOldest });
            lock (_lock)
            {
                foreach (var line in _lines)
                {
                    channel.Writer.TryWrite(line);
                }

                _watchers = _watchers.Add(channel);
            }

            try
            {
                while (await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    var lines = new List<LogLine>();
                    while (lines.Count < LinesInBatch && channel.Reader.TryRead(out var line))
                    {
                        lines.Add(line);
                    }

                    yield return lines;
                }
            }
            finally
            {
                lock (_lock)
                {
                    _watchers = _watchers.Remove(channel);
                }
            }
        }
    }
}
