using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>Tells the other workers that this one lives, and the log when Redis goes away and comes back.</summary>
internal sealed partial class Heartbeat(TaskQueues queues, TimeProvider time, ILogger<Heartbeat> logger) : BackgroundService
{
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(1);

    private long _recoveredAt; // timestamp; 0 when Redis was never away
    private bool _away;

    /// <summary>
    /// False while Redis is away and for one heartbeat afterwards: that another worker sent none meanwhile says nothing about it.
    /// </summary>
    public bool OthersCouldSendTheirs =>
        !Volatile.Read(ref _away)
        && OneHeartbeatHasPassed(Volatile.Read(ref _recoveredAt));

    private bool OneHeartbeatHasPassed(long recoveredAt) => recoveredAt == 0 || time.GetElapsedTime(recoveredAt) > queues.HeartbeatTimeout;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // nothing to trace
        using var beat = new PeriodicTimer(queues.HeartbeatTimeout / 5, time);
        try
        {
            do
                await BeatAsync();
            while (await beat.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await EndAsync();
        }
    }

    private async Task BeatAsync()
    {
        try
        {
            await queues.RenewAsync();
            if (!_away)
                return;
            Volatile.Write(ref _recoveredAt, time.GetTimestamp());
            Volatile.Write(ref _away, false);
            LogBack();
        }
        catch (Exception failure) when (RedisAbsence.Explains(failure))
        {
            if (!_away)
                LogAway(failure.GetType().Name);
            Volatile.Write(ref _away, true);
        }
    }

    private async Task EndAsync()
    {
        try
        {
            await queues.RetireAsync().WaitAsync(EndTime, time);
        }
        catch (Exception failure) when (RedisAbsence.Explains(failure))
        {
            LogLeftBehind(queues.HeartbeatTimeout);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Redis cannot be used ({Failure}); tasks wait there until it is back")]
    private partial void LogAway(string failure);

    [LoggerMessage(LogLevel.Information, "Redis is back; queues are drained again")]
    private partial void LogBack();

    [LoggerMessage(LogLevel.Warning, "Redis is away at the end: what this worker could not hand back is rescued {Timeout} after it returns")]
    private partial void LogLeftBehind(TimeSpan timeout);
}
