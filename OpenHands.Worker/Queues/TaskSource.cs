using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Leases tasks of all known queues in turn: ids from Redis, or, while that is away, from PostgreSQL alone. Adopts what others pushed.
/// For one caller at a time.
/// </summary>
internal sealed partial class TaskSource(
    QueueWindow window,
    WaitingTasks waiting,
    TaskLeases leases,
    LeaseCheck check,
    Adopter adopter,
    RunningTasks running,
    QueueRulebook rulebook,
    KnownQueues known,
    RedisOutage outage,
    TimeProvider time,
    ILogger<TaskSource> logger)
{
    private const int MostAtOnce = 64;

    private static readonly TimeSpan RestOfWrongType = TimeSpan.FromMinutes(1);

    private readonly HashSet<string> _warned = [];
    private int _next;
    private bool _mustCompare;

    /// <summary>The next tasks, already among those that run; empty when no queue has one that is due.</summary>
    /// <param name="most">Free slots.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<(LeasedTask Leased, RunningTask Running)>> NextAsync(int most, CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // looking at empty queues several times a second is nothing to trace
        if (_mustCompare)
        {
            await check.CompareAsync(cancellationToken);
            _mustCompare = false;
        }

        var current = known.Current();
        for (var i = 0; i < current.Length; i++)
        {
            var queue = current[(_next + i) % current.Length];
            if (!queue.IsDue(time) || await TakeAsync(queue, Math.Min(most, MostAtOnce), cancellationToken) is not { Count: > 0 } tasks)
                continue;
            _next = (_next + i + 1) % current.Length;
            known.Saw(queue.Name);
            return tasks;
        }

        return [];
    }

    private async Task<IReadOnlyList<(LeasedTask, RunningTask)>> TakeAsync(KnownQueue queue, int most, CancellationToken cancellationToken)
    {
        var news = queue.News;
        var rule = await rulebook.FindAsync(queue.Name, cancellationToken);
        if (rule is { IsPaused: true })
        {
            queue.WasEmpty(news, time);
            return [];
        }

        var ids = await TakeIdsAsync(queue, most, cancellationToken);
        return ids.Count == 0 ? [] : await LeaseAsync(queue.Name, ids, rule, cancellationToken);
    }

    private async Task<IReadOnlyList<string>> TakeIdsAsync(KnownQueue queue, int most, CancellationToken cancellationToken)
    {
        if (outage.IsResting)
            return await FindIdsAsync(queue, most, cancellationToken);
        try
        {
            return await TakeFromWindowAsync(queue, most, cancellationToken);
        }
        catch (WrongTypeException)
        {
            if (_warned.Add(queue.Name))
                LogWrongType(queue.Name);
            queue.Rest(RestOfWrongType, time);
            return [];
        }
        catch (Exception failure) when (RedisAbsence.Explains(failure))
        {
            outage.Found(failure);
            return await FindIdsAsync(queue, most, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<string>> TakeFromWindowAsync(KnownQueue queue, int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            var news = queue.News;
            var taken = await window.TakeAsync(queue.Name, most);
            outage.Ended();
            if (taken.Ids.Count + taken.Values.Count == 0)
            {
                queue.WasEmpty(news, time);
                return [];
            }

            queue.HadTask();
            IReadOnlyList<string> ids = taken.Values.Count == 0 ? taken.Ids : [.. taken.Ids, .. await adopter.AdoptAsync(queue.Name, taken.Values, cancellationToken)];
            // Values without a task among them leave the slots free: the next ones need not wait.
            if (ids.Count > 0)
                return ids;
        }
    }

    // In turn between those who share the queue, as well as can be without a feeder.
    private async Task<IReadOnlyList<string>> FindIdsAsync(KnownQueue queue, int most, CancellationToken cancellationToken)
    {
        var news = queue.News;
        var heads = await waiting.HeadsAsync(queue.Name, after: null, keys: 64, each: most, cancellationToken);
        if (heads.Count == 0)
            queue.WasEmpty(news, time);
        return [.. Enumerable.Range(0, most).SelectMany(turn => heads.Where(head => turn < head.Ids.Count).Select(head => head.Ids[turn])).Take(most)];
    }

    private async Task<IReadOnlyList<(LeasedTask, RunningTask)>> LeaseAsync(string queue, IReadOnlyList<string> ids, QueueRule? rule, CancellationToken cancellationToken)
    {
        using var alone = await check.EnterAsync(cancellationToken);
        try
        {
            var leased = await leases.LeaseAsync(queue, ids, rule, cancellationToken);
            return [.. leased.Select(task => (task, running.Add(task.Task.Id, task.Task.LeaseNumber)))];
        }
        catch
        {
            // The answer may be lost, and with it leases that we now have without knowing: look for them first.
            _mustCompare = true;
            throw;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The key queue:{Queue} holds another type than docs/redis-keys.md says; it is left alone")]
    private partial void LogWrongType(string queue);
}
