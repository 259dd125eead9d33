using System.Collections.Concurrent;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Counts what became of tasks, by queue and minute, and writes it down with the heartbeat.</summary>
internal sealed class QueueCounts(QueueMinutes minutes, WorkerIdentity me)
{
    private ConcurrentDictionary<string, Counts> _counts = new();

    /// <summary>Counts one.</summary>
    public void Add(string queue, TaskFate fate)
    {
        var counts = _counts.GetOrAdd(queue, _ => new Counts());
        if (fate is TaskFate.Done)
            Interlocked.Increment(ref counts.Done);
        else if (fate is TaskFate.Retried)
            Interlocked.Increment(ref counts.Retried);
        else if (fate is TaskFate.GivenUp)
            Interlocked.Increment(ref counts.Dead);
    }

    /// <summary>Writes down what was counted since the last time.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (_counts.IsEmpty)
            return;
        var counted = Interlocked.Exchange(ref _counts, new());
        await minutes.AddAsync(me.Id, [.. counted.Select(each => new QueueCount(each.Key, each.Value.Done, each.Value.Retried, each.Value.Dead))], cancellationToken);
    }

    private sealed class Counts
    {
        public long Done;
        public long Retried;
        public long Dead;
    }
}
