using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Runs as many tasks at a time as there are slots, until the worker stops; then lets them finish or hands them back.</summary>
internal sealed partial class QueueDrainer(
    TaskSource source,
    [FromKeyedServices(QueueDrainer.Reserved)] TaskSource reserved,
    QueueFilter filter,
    TaskRunner runner,
    TaskSettler settler,
    RunningTasks running,
    WorkerSession session,
    WorkerIdentity me,
    QueueSignals signals,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<QueueDrainer> logger) : BackgroundService
{
    /// <summary>Key of the source of what the reserved slot runs.</summary>
    public const string Reserved = "reserved";

    /// <summary>Time on top of <see cref="WorkerOptions.ShutdownTimeout"/> for cancelling and handing back.</summary>
    public static readonly TimeSpan HandBackTime = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReservedPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(1);

    // Tasks are leased ahead of the slots only while they are so short that a lease takes longer than they do.
    private const int Ahead = 3;
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestAhead = TimeSpan.FromMilliseconds(50);

    private readonly SemaphoreSlim _slots = new(options.Value.Concurrency);
    private readonly SemaphoreSlim _reservedSlot = new(1);
    private double _meanMilliseconds = LongestBackoff.TotalMilliseconds;

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _slots.Dispose();
        _reservedSlot.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        settler.Start();
        try
        {
            await session.Entered.WaitAsync(stoppingToken);
            LogStart(me.Id, options.Value.Concurrency);
            await Task.WhenAll(DrainAsync(stoppingToken), DrainReservedAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await EndAsync();
        }
    }

    private async Task DrainAsync(CancellationToken stoppingToken)
    {
        var backoff = IdlePause;
        while (true)
        {
            stoppingToken.ThrowIfCancellationRequested();
            var free = await FreeSlotsAsync(stoppingToken);
            IReadOnlyList<(LeasedTask, RunningTask)> tasks = [];
            var pause = IdlePause;
            try
            {
                tasks = await source.NextAsync(free + MostAhead, stoppingToken);
                backoff = IdlePause;
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure) || RedisAbsence.Explains(failure))
            {
                pause = backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
            }
            finally
            {
                if (free > tasks.Count)
                    _slots.Release(free - tasks.Count);
            }

            foreach (var (leased, task) in tasks)
                _ = free-- > 0 ? RunAsync(leased, task, _slots) : RunLaterAsync(leased, task);
            if (tasks.Count == 0)
                await signals.Pushed.WaitAsync(pause, stoppingToken);
        }
    }

    private async Task<int> FreeSlotsAsync(CancellationToken stoppingToken)
    {
        await _slots.WaitAsync(stoppingToken);
        var free = 1;
        while (_slots.Wait(0, CancellationToken.None))
            free++;
        return free;
    }

    // While long tasks have all slots, the platform's own still run, in a slot of theirs: the audit log is sealed whatever the users do.
    private async Task DrainReservedAsync(CancellationToken stoppingToken)
    {
        if (!filter.Matches(MaintenanceQueue.Name))
            return;
        while (true)
        {
            await Task.Delay(ReservedPause, time, stoppingToken);
            if (_slots.CurrentCount > 0 || _reservedSlot.CurrentCount == 0)
                continue;
            try
            {
                foreach (var (leased, task) in await reserved.NextAsync(1, stoppingToken))
                {
                    await _reservedSlot.WaitAsync(CancellationToken.None); // nobody else takes it
                    _ = RunAsync(leased, task, _reservedSlot);
                }
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure) || RedisAbsence.Explains(failure))
            {
                // The other source says so in the log.
            }
        }
    }

    private int MostAhead => Volatile.Read(ref _meanMilliseconds) < Short.TotalMilliseconds ? Ahead * options.Value.Concurrency : 0;

    // If no slot gets free soon, tasks have become longer, and others may have one.
    private async Task RunLaterAsync(LeasedTask leased, RunningTask task)
    {
        if (await _slots.WaitAsync(LongestAhead, CancellationToken.None))
        {
            await RunAsync(leased, task, _slots);
            return;
        }

        Interlocked.Exchange(ref _meanMilliseconds, LongestAhead.TotalMilliseconds);
        try
        {
            await runner.HandBackAsync(leased);
        }
        finally
        {
            running.Remove(task);
            task.Dispose();
        }
    }

    // The next task may start when the handler has ended: the record of many ends is one statement. Unless those wait too long.
    private async Task RunAsync(LeasedTask leased, RunningTask task, SemaphoreSlim slots)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var (isFree, started) = (false, time.GetTimestamp());
        try
        {
            await runner.RunAsync(leased, task, Free);
        }
        finally
        {
            running.Remove(task);
            task.Dispose();
            if (!isFree)
                slots.Release();
        }

        void Free()
        {
            var mean = Volatile.Read(ref _meanMilliseconds);
            Volatile.Write(ref _meanMilliseconds, mean + ((time.GetElapsedTime(started).TotalMilliseconds - mean) / 16)); // some may get lost
            if (settler.IsBehind)
                return;
            isFree = true;
            slots.Release();
        }
    }

    private async Task EndAsync()
    {
        LogEnd(running.Count, options.Value.ShutdownTimeout);
        if (!await AllEndAsync(options.Value.ShutdownTimeout))
        {
            running.StopAll(StopCause.WorkerStops);
            await AllEndAsync(HandBackTime);
        }

        await settler.StopAsync();
        LogEnded(running.Count);
        await session.LeaveAsync();
    }

    private async Task<bool> AllEndAsync(TimeSpan within)
    {
        try
        {
            await running.WhenAllEnd.WaitAsync(within, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "Worker {Worker} drains queues, {Concurrency} tasks at a time")]
    private partial void LogStart(string worker, int concurrency);

    [LoggerMessage(LogLevel.Information, "Stopping: {Count} running tasks get {Timeout} to finish")]
    private partial void LogEnd(int count, TimeSpan timeout);

    [LoggerMessage(LogLevel.Information, "Stopped, {Count} tasks left to be rescued")]
    private partial void LogEnded(int count);
}
