using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>The queues to look at: those named in the configuration for ever, others while they are seen now and then.</summary>
internal sealed class KnownQueues(QueueFilter filter, TimeProvider time)
{
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TidyInterval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, KnownQueue> _queues = filter.PlainNames.Distinct().ToDictionary(name => name, name => new KnownQueue(name, null));
    private KnownQueue[]? _current;
    private long _tidied;

    /// <summary>True when the queue is looked at.</summary>
    public bool Contains(string name)
    {
        lock (_lock)
            return _queues.ContainsKey(name);
    }

    /// <summary>Remembers a queue that is there and is ours to drain.</summary>
    public void Saw(string name)
    {
        if (!filter.Matches(name))
            return;
        lock (_lock)
        {
            if (!_queues.TryGetValue(name, out var queue))
            {
                _queues.Add(name, new KnownQueue(name, time.GetTimestamp()));
                _current = null;
            }
            else if (queue.LastSeen is not null)
            {
                queue.LastSeen = time.GetTimestamp();
            }
        }
    }

    /// <summary>Remembers a queue and looks at it at once.</summary>
    public void HasNews(string name)
    {
        Saw(name);
        lock (_lock)
        {
            if (_queues.TryGetValue(name, out var queue))
                queue.HadTask();
        }
    }

    /// <summary>All of them, in an order that stays while none is added or forgotten.</summary>
    public KnownQueue[] Current()
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_tidied) > TidyInterval)
                Forget();
            return _current ??= [.. _queues.Values];
        }
    }

    private void Forget()
    {
        _tidied = time.GetTimestamp();
        foreach (var queue in _queues.Values.Where(queue => queue.LastSeen is { } seen && time.GetElapsedTime(seen) > Memory).ToList())
        {
            _queues.Remove(queue.Name);
            _current = null;
        }
    }
}

/// <summary>A queue to look at.</summary>
/// <param name="name">Its name.</param>
/// <param name="lastSeen">Timestamp; null for a queue that is never forgotten.</param>
internal sealed class KnownQueue(string name, long? lastSeen)
{
    // Milliseconds from one look at an empty queue to the next.
    private const int Shortest = 100;
    private const int Longest = 250;
    private const int Step = 50;

    private readonly Lock _lock = new();
    private int _pause = Shortest;
    private long _lookedAt;
    private TimeSpan _rest;
    private long _news;

    /// <summary>Name without the prefix.</summary>
    public string Name => name;

    /// <summary>Timestamp of the last sign of it; null for a queue that is never forgotten. Guarded by <see cref="KnownQueues"/>.</summary>
    public long? LastSeen { get; set; } = lastSeen;

    /// <summary>True when it is time to look at it.</summary>
    public bool IsDue(TimeProvider time)
    {
        lock (_lock)
            return time.GetElapsedTime(_lookedAt) >= _rest;
    }

    /// <summary>How much news there was of it, to be read before a look.</summary>
    public long News => Volatile.Read(ref _news);

    /// <summary>It has a task: look again at once.</summary>
    public void HadTask()
    {
        lock (_lock)
            (_pause, _rest, _news) = (Shortest, TimeSpan.Zero, _news + 1);
    }

    /// <summary>It was empty: look again after a pause that grows. At once when there was news since: it may be younger than the look, and its answer older.</summary>
    /// <param name="news">What <see cref="News"/> was before the look.</param>
    /// <param name="time">The clock.</param>
    public void WasEmpty(long news, TimeProvider time)
    {
        lock (_lock)
        {
            if (news != _news)
                return;
            Rest(TimeSpan.FromMilliseconds(_pause), time);
            _pause = Math.Min(_pause + Step, Longest);
        }
    }

    /// <summary>Do not look at it for a while.</summary>
    public void Rest(TimeSpan rest, TimeProvider time)
    {
        lock (_lock)
            (_lookedAt, _rest) = (time.GetTimestamp(), rest);
    }
}
