using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>Takes tasks from all known queues in turn, and once a second rescues those of workers that went away. For one caller at a time.</summary>
internal sealed partial class TaskSource(
    TaskQueues queues, KnownQueues known, Heartbeat heartbeat, WorkerMetrics metrics, TimeProvider time, ILogger<TaskSource> logger)
{
    private static readonly TimeSpan RescueInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RestOfWrongType = TimeSpan.FromMinutes(1);

    private readonly HashSet<string> _warned = [];
    private long? _rescuedAt;
    private int _next;

    /// <summary>The next task; null when no queue has one that is due.</summary>
    /// <param name="deliveriesAtWork">What this worker is working on.</param>
    public async Task<TakenTask?> NextAsync(ICollection<string> deliveriesAtWork)
    {
        // Looking at empty queues several times a second is nothing to trace.
        using var quiet = SuppressInstrumentationScope.Begin();
        try
        {
            if (_rescuedAt is not { } rescued || time.GetElapsedTime(rescued) >= RescueInterval)
                await RescueAsync(deliveriesAtWork);
            return await TakeAsync();
        }
        catch
        {
            // The answer to a take may be lost, and with it a task that we now have without knowing: look for it first.
            _rescuedAt = null;
            throw;
        }
    }

    private async Task<TakenTask?> TakeAsync()
    {
        var current = known.Current();
        for (var i = 0; i < current.Length; i++)
        {
            var queue = current[(_next + i) % current.Length];
            if (!queue.IsDue(time) || await TakeAsync(queue) is not { } task)
                continue;
            _next = (_next + i + 1) % current.Length;
            known.Saw(queue.Name);
            return task;
        }

        return null;
    }

    private async Task<TakenTask?> TakeAsync(KnownQueue queue)
    {
        try
        {
            var task = await queues.TryTakeAsync(queue.Name);
            if (task is null)
                queue.WasEmpty(time);
            else
                queue.HadTask();
            return task;
        }
        catch (WrongTypeException wrong)
        {
            Warn(wrong);
            queue.Rest(RestOfWrongType, time);
            return null;
        }
    }

    private async Task RescueAsync(ICollection<string> deliveriesAtWork)
    {
        foreach (var name in await queues.NamesWithDeliveriesAsync())
        {
            known.Saw(name);
            if (!known.Contains(name))
                continue;
            try
            {
                var rescued = await queues.RescueAsync(name, heartbeat.OthersCouldSendTheirs, deliveriesAtWork);
                if (rescued == 0)
                    continue;
                metrics.Rescue(name, rescued);
                LogRescued(rescued, name);
            }
            catch (WrongTypeException wrong)
            {
                Warn(wrong);
            }
        }

        _rescuedAt = time.GetTimestamp();
    }

    private void Warn(WrongTypeException wrong)
    {
        if (_warned.Add(wrong.Queue))
            LogWrongType(wrong.Queue);
    }

    [LoggerMessage(LogLevel.Warning, "Rescued {Count} tasks of queue {Queue}: their worker went away")]
    private partial void LogRescued(int count, string queue);

    [LoggerMessage(LogLevel.Warning, "A key of queue {Queue} holds another type than docs/redis-keys.md says; it is left alone")]
    private partial void LogWrongType(string queue);
}
