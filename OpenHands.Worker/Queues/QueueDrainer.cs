using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Runs as many tasks at a time as there are slots, until the worker stops.</summary>
internal sealed partial class QueueDrainer(
    TaskSource source, TaskRunner runner, TaskQueues queues, IOptions<WorkerOptions> options, TimeProvider time, ILogger<QueueDrainer> logger)
    : BackgroundService
{
    /// <summary>Time on top of <see cref="WorkerOptions.ShutdownTimeout"/> for cancelling and handing back.</summary>
    public static readonly TimeSpan HandBackTime = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _slots = new(options.Value.Concurrency);
    private readonly ConcurrentDictionary<string, Task> _running = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _giveUp = new();

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _slots.Dispose();
        _stop.Dispose();
        _giveUp.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogStart(queues.Worker, options.Value.Concurrency);
        try
        {
            await DrainAsync(stoppingToken);
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
            await _slots.WaitAsync(stoppingToken);
            var pause = IdlePause;
            var started = false;
            try
            {
                if (await source.NextAsync(_running.Keys) is { } task)
                    (started, pause) = (TryStart(task), TimeSpan.Zero);
                backoff = IdlePause;
            }
            catch (Exception failure) when (RedisAbsence.Explains(failure))
            {
                pause = backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
            }

            if (!started)
                _slots.Release();
            stoppingToken.ThrowIfCancellationRequested();
            if (pause > TimeSpan.Zero)
                await Task.Delay(pause, time, stoppingToken);
        }
    }

    /// <summary>False when the task runs here already: it was rescued from this very worker, which has it again now.</summary>
    private bool TryStart(TakenTask task)
    {
        var start = new TaskCompletionSource();
        if (!_running.TryAdd(task.Delivery, RunAsync(task, start.Task)))
            return false;
        start.SetResult();
        return true;
    }

    private async Task RunAsync(TakenTask task, Task start)
    {
        await start.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await runner.RunAsync(task, _stop.Token, _giveUp.Token);
        }
        catch (OperationCanceledException) when (_giveUp.IsCancellationRequested)
        {
            // Redis is away while the worker ends: the task is rescued later.
        }
        finally
        {
            _running.TryRemove(task.Delivery, out _);
            _slots.Release();
        }
    }

    private async Task EndAsync()
    {
        LogEnd(_running.Count, options.Value.ShutdownTimeout);
        if (!await AllEndAsync(options.Value.ShutdownTimeout))
        {
            await _stop.CancelAsync();
            if (!await AllEndAsync(HandBackTime))
                await _giveUp.CancelAsync();
        }

        LogEnded(_running.Count);
    }

    private async Task<bool> AllEndAsync(TimeSpan within)
    {
        try
        {
            await Task.WhenAll(_running.Values).WaitAsync(within, time);
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
