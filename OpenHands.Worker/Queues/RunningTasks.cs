using System.Collections.Concurrent;

namespace OpenHands.Worker.Queues;

/// <summary>What runs in this worker, and how to call it off.</summary>
internal sealed class RunningTasks
{
    private readonly ConcurrentDictionary<string, RunningTask> _tasks = new();

    /// <summary>How many.</summary>
    public int Count => _tasks.Count;

    /// <summary>All of them.</summary>
    public ICollection<RunningTask> All => _tasks.Values;

    /// <summary>Everything that runs, as one.</summary>
    public Task WhenAllEnd => Task.WhenAll(_tasks.Values.Select(task => task.Ended));

    /// <summary>Adds a task. One that ran here before under an older lease has lost it.</summary>
    public RunningTask Add(string id, long leaseNumber)
    {
        var task = new RunningTask(id, leaseNumber);
        _tasks.AddOrUpdate(id, task, (_, former) =>
        {
            former.Stop(StopCause.LeaseLost);
            return task;
        });
        return task;
    }

    /// <summary>Forgets a task that has ended.</summary>
    public void Remove(RunningTask task)
    {
        _tasks.TryRemove(KeyValuePair.Create(task.Id, task));
        task.End();
    }

    /// <summary>The task under its present lease; null when it does not run here.</summary>
    public RunningTask? Find(string id) => _tasks.GetValueOrDefault(id);

    /// <summary>Stops everything.</summary>
    public void StopAll(StopCause cause)
    {
        foreach (var task in _tasks.Values)
            task.Stop(cause);
    }
}

/// <summary>A task that runs.</summary>
internal sealed class RunningTask(string id, long leaseNumber) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _cause;

    /// <summary>Id of the task.</summary>
    public string Id => id;

    /// <summary>The lease under which it runs.</summary>
    public long LeaseNumber => leaseNumber;

    /// <summary>Cancelled when it is to stop.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Why it is to stop.</summary>
    public StopCause Cause => (StopCause)Volatile.Read(ref _cause);

    /// <summary>Completes when its fate is recorded or lost.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Tells its handler to stop; the first cause counts.</summary>
    public void Stop(StopCause cause)
    {
        if (Interlocked.CompareExchange(ref _cause, (int)cause, (int)StopCause.None) == (int)StopCause.None)
            _ = _stop.CancelAsync(); // on other threads: a callback of a handler must not hold up who stops it
    }

    /// <summary>Says that it has ended.</summary>
    public void End() => _ended.TrySetResult();

    /// <inheritdoc />
    public void Dispose() => _stop.Dispose();
}

/// <summary>Why a running task is to stop.</summary>
internal enum StopCause
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>Somebody called it off.</summary>
    CancelRequested,

    /// <summary>Its lease has ended: somebody else may have it.</summary>
    LeaseLost,

    /// <summary>The worker stops.</summary>
    WorkerStops,
}
