using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.Queues;

/// <summary>
/// The queues in Redis as one worker sees them. Every step is one script, so that a value is always in exactly one state of
/// docs/queues.md. Throws what StackExchange.Redis throws when Redis is away; every step may then be repeated.
/// </summary>
/// <param name="redis">Connection to Redis.</param>
/// <param name="worker">Id of the worker; unique for every start of every process.</param>
/// <param name="heartbeatTimeout">How long a heartbeat counts; afterwards other workers rescue what this one has.</param>
public sealed class TaskQueues(IConnectionMultiplexer redis, string worker, TimeSpan heartbeatTimeout)
{
    private static readonly RedisScript Take = RedisScript.Load("TakeTask.lua");
    private static readonly RedisScript Finish = RedisScript.Load("FinishTask.lua");
    private static readonly RedisScript Defer = RedisScript.Load("DeferTask.lua");
    private static readonly RedisScript HandBack = RedisScript.Load("HandBackTask.lua");
    private static readonly RedisScript Rescue = RedisScript.Load("RescueTasks.lua");
    private static readonly RedisScript Renew = RedisScript.Load("RenewWorker.lua");

    /// <summary>Id of the worker that takes.</summary>
    public string Worker => worker;

    /// <summary>How long a heartbeat counts.</summary>
    public TimeSpan HeartbeatTimeout => heartbeatTimeout;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Takes the next task of a queue; null when there is none that is due.</summary>
    /// <exception cref="WrongTypeException">A key of the queue holds something else; it was left alone.</exception>
    public async Task<TakenTask?> TryTakeAsync(string queue)
    {
        var answer = await RunAsync(
            Take,
            queue,
            [RedisKeys.Workers, RedisKeys.Queues, RedisKeys.Queue(queue), RedisKeys.Deferred(queue), RedisKeys.Taken(queue), RedisKeys.Deliveries(queue)],
            [queue, worker, (long)heartbeatTimeout.TotalMilliseconds, Guid.CreateVersion7().ToString("N")]);
        if (answer.IsNull)
            return null;

        var parts = (RedisValue[])answer!;
        var reason = (string)parts[4]!;
        return new TakenTask(queue, (string)parts[0]!, (byte[])parts[1]!, (int)parts[2], (int)parts[3], reason.Length == 0 ? null : reason);
    }

    /// <summary>Removes a task for good. False when it is no longer this worker's: it was rescued, or Redis lost everything.</summary>
    /// <exception cref="WrongTypeException">A key of the queue holds something else; it was left alone.</exception>
    public async Task<bool> FinishAsync(TakenTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return (bool)await RunAsync(
            Finish,
            task.Queue,
            [RedisKeys.Queues, RedisKeys.Taken(task.Queue), RedisKeys.Deliveries(task.Queue)],
            [task.Queue, worker, task.Delivery]);
    }

    /// <summary>Lets a task wait. Written anew when Redis has lost everything meanwhile. False when another worker has it.</summary>
    /// <param name="task">The task, with the counts and the reason that it is to have from now on.</param>
    /// <param name="delay">Time until it may be taken again, by Redis' clock.</param>
    /// <exception cref="WrongTypeException">A key of the queue holds something else; it was left alone.</exception>
    public async Task<bool> DeferAsync(TakenTask task, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(task);
        return (bool)await RunAsync(
            Defer,
            task.Queue,
            [RedisKeys.Queues, RedisKeys.Deferred(task.Queue), RedisKeys.Taken(task.Queue), RedisKeys.Deliveries(task.Queue)],
            [task.Queue, worker, task.Delivery, (long)delay.TotalMilliseconds, task.Attempts, task.Reason ?? "", task.Value]);
    }

    /// <summary>Gives a task back to the front of its queue. False when another worker has it.</summary>
    /// <exception cref="WrongTypeException">A key of the queue holds something else; it was left alone.</exception>
    public async Task<bool> HandBackAsync(TakenTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return (bool)await RunAsync(
            HandBack,
            task.Queue,
            [RedisKeys.Queues, RedisKeys.Queue(task.Queue), RedisKeys.Deferred(task.Queue), RedisKeys.Taken(task.Queue), RedisKeys.Deliveries(task.Queue)],
            [task.Queue, worker, task.Delivery, task.Value]);
    }

    /// <summary>
    /// Makes the tasks of workers without heartbeat due at once, and those of this worker that it does not know of. Never call
    /// it while <see cref="TryTakeAsync"/> runs: what that is about to return would count as unknown.
    /// </summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="alsoOthers">False to leave other workers alone, while they may not have been able to send their heartbeat.</param>
    /// <param name="deliveriesAtWork">What this worker knows of.</param>
    /// <returns>How many.</returns>
    /// <exception cref="WrongTypeException">A key of the queue holds something else; it was left alone.</exception>
    public async Task<int> RescueAsync(string queue, bool alsoOthers, IEnumerable<string> deliveriesAtWork) =>
        (int)await RunAsync(
            Rescue,
            queue,
            [RedisKeys.Workers, RedisKeys.Deferred(queue), RedisKeys.Taken(queue), RedisKeys.Deliveries(queue)],
            [worker, alsoOthers, .. deliveriesAtWork.Select(delivery => (RedisValue)delivery)]);

    /// <summary>Sends the heartbeat.</summary>
    public Task RenewAsync() =>
        Renew.RunAsync(Database, [RedisKeys.Workers], [worker, (long)heartbeatTimeout.TotalMilliseconds]);

    /// <summary>Ends the heartbeat: whatever this worker still has is rescued at once.</summary>
    public Task RetireAsync() => Database.SortedSetRemoveAsync(RedisKeys.Workers, worker);

    /// <summary>Names of all queues that have tasks which are taken or deferred; their lists may be empty.</summary>
    public async Task<IReadOnlyList<string>> NamesWithDeliveriesAsync() =>
        [.. (await Database.SetMembersAsync(RedisKeys.Queues)).Select(name => (string)name!)];

    private async Task<RedisResult> RunAsync(RedisScript script, string queue, RedisKey[] keys, RedisValue[] arguments)
    {
        try
        {
            return await script.RunAsync(Database, keys, arguments);
        }
        catch (RedisServerException wrong) when (wrong.Message.Contains("WRONGTYPE", StringComparison.Ordinal))
        {
            throw new WrongTypeException(queue, wrong);
        }
    }
}
