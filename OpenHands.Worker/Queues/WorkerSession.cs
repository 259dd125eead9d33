using Microsoft.Extensions.Options;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Shows the others that this worker lives: one session in PostgreSQL that holds its advisory lock, and a heartbeat. Hears there of
/// tasks that are called off. A lost session is opened again at once; what runs goes on, unless its lease has ended meanwhile.
/// </summary>
internal sealed partial class WorkerSession(
    WorkerIdentity me,
    QueueDatabase database,
    WorkerRegistry registry,
    TaskLeases leases,
    LeaseCheck check,
    RunningTasks running,
    QueueCounts counts,
    LastOutage outage,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<WorkerSession> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _reachableSince; // timestamp; 0 before the first heartbeat
    private long _beatAt;
    private bool _away;

    /// <summary>Completes when this worker is entered for the first time: before, it can lease nothing.</summary>
    public Task Entered => _entered.Task;

    /// <summary>True when every heartbeat of the last lease got through, so that the silence of others means something.</summary>
    public bool ReachedPostgresForALease
    {
        get
        {
            var since = Volatile.Read(ref _reachableSince);
            return since != 0 && time.GetElapsedTime(since) > options.Value.Lease && time.GetElapsedTime(Volatile.Read(ref _beatAt)) < options.Value.Lease / 2;
        }
    }

    /// <summary>Strikes this worker out: others need not find out that it is gone.</summary>
    public async Task LeaveAsync()
    {
        using var patience = new CancellationTokenSource(EndTime, time);
        try
        {
            await registry.RescueAsync([me.Id], int.MaxValue, patience.Token);
            await counts.WriteAsync(patience.Token);
        }
        catch (Exception failure) when (PostgresAbsence.Explains(failure) || failure is OperationCanceledException)
        {
            LogLeftBehind();
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // nothing to trace
        for (var pause = ShortestPause; !stoppingToken.IsCancellationRequested; pause = pause < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await using var session = new NpgsqlConnection(database.Direct(me.SessionName));
                await session.OpenAsync(stoppingToken);
                await LockAsync(session, stoppingToken);
                await registry.EnterAsync(me.Entry, stoppingToken);
                await check.CompareAsync(stoppingToken);
                _entered.TrySetResult();
                NoteBack();
                pause = ShortestPause;
                await StayAsync(session, stoppingToken);
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure))
            {
                outage.Note();
                NoteAway(failure);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task LockAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand("SELECT pg_try_advisory_lock($1, $2)", session);
        take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = LockSpaces.Workers });
        take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = me.LockKey });
        while (await take.ExecuteScalarAsync(cancellationToken) is not true)
        {
            // A session of ours that PostgreSQL still believes in.
            await using var end = new NpgsqlCommand(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid() AND usename = current_user", session);
            end.Parameters.Add(new NpgsqlParameter<string> { TypedValue = me.SessionName });
            await end.ExecuteNonQueryAsync(cancellationToken);
            await Task.Delay(ShortestPause, time, cancellationToken);
        }

        await using var listen = new NpgsqlCommand($"LISTEN {TaskNotice.CancelChannel}", session);
        await listen.ExecuteNonQueryAsync(cancellationToken);
        session.Notification += (_, notice) => running.Find(notice.Payload)?.Stop(StopCause.CancelRequested);
    }

    private async Task StayAsync(NpgsqlConnection session, CancellationToken stoppingToken)
    {
        var interval = options.Value.Lease / 5;
        while (true)
        {
            var beat = time.GetTimestamp();
            try
            {
                await BeatAsync(stoppingToken);
                NoteBack();
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure))
            {
                NoteAway(failure); // the session itself may still hold
            }

            await using (var ping = new NpgsqlCommand("SELECT", session))
                await ping.ExecuteNonQueryAsync(stoppingToken); // notices a session that is lost, which waiting alone may not
            await HearAsync(session, interval - time.GetElapsedTime(beat), stoppingToken);
        }
    }

    // By cancellation: the wait's own time limit may never end.
    private async Task HearAsync(NpgsqlConnection session, TimeSpan rest, CancellationToken stoppingToken)
    {
        if (rest <= TimeSpan.Zero)
            return;
        using var limit = new CancellationTokenSource(rest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stoppingToken);
        try
        {
            while (true)
                await session.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            stoppingToken.ThrowIfCancellationRequested();
        }
    }

    private async Task BeatAsync(CancellationToken stoppingToken)
    {
        if (!await registry.BeatAsync(me.Id, running.Count, stoppingToken))
        {
            LogTakenForGone();
            await registry.EnterAsync(me.Entry, stoppingToken);
            await check.CompareAsync(stoppingToken);
        }

        var now = time.GetTimestamp();
        if (Volatile.Read(ref _reachableSince) == 0 || time.GetElapsedTime(Volatile.Read(ref _beatAt), now) > options.Value.Lease / 2)
            Volatile.Write(ref _reachableSince, now);
        Volatile.Write(ref _beatAt, now);

        // A notice may be lost with the session.
        foreach (var id in await leases.CancelledAsync([.. running.All.Select(task => task.Id)], stoppingToken))
            running.Find(id)?.Stop(StopCause.CancelRequested);
        await counts.WriteAsync(stoppingToken);
    }

    private void NoteBack()
    {
        if (_away)
            LogBack();
        _away = false;
    }

    private void NoteAway(Exception failure)
    {
        if (!_away)
            LogAway(failure.Message);
        _away = true;
    }

    [LoggerMessage(LogLevel.Warning, "PostgreSQL cannot be used; nothing new starts until it can be, and what runs goes on: {Reason}")]
    private partial void LogAway(string reason);

    [LoggerMessage(LogLevel.Information, "PostgreSQL can be used again")]
    private partial void LogBack();

    [LoggerMessage(LogLevel.Warning, "This worker was silent for so long that its tasks were given to others; it goes on with new ones")]
    private partial void LogTakenForGone();

    [LoggerMessage(LogLevel.Warning, "PostgreSQL is away at the end: what this worker could not hand back is rescued by others")]
    private partial void LogLeftBehind();
}
