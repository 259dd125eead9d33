using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>The workers that there are, by heartbeat, and the rescue of what those had who are gone. All by PostgreSQL's clock.</summary>
public sealed class WorkerRegistry(QueueDatabase database)
{
    /// <summary>Most sessions of a worker for long maintenance.</summary>
    public const int MaintenanceSessions = 4;

    /// <summary>Most sessions of a worker beside its pools: for its lock, for elections, for a rescue, and for long maintenance.</summary>
    public const int SessionsBesidePools = 3 + MaintenanceSessions;

    // Only from a lease after PostgreSQL's own start: a restart frees every lock and hinders every heartbeat. Silent a little before the lease
    // ends, so that its tasks run elsewhere when it does.
    private const string Look =
        """
        SELECT w.id, w.last_seen_at < clock_timestamp() - 0.9 * $1 AS is_silent,
            NOT EXISTS (
                SELECT FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = $2::oid AND l.objid = w.lock_key::oid
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS is_unlocked
        FROM workers w WHERE clock_timestamp() - pg_postmaster_start_time() > $1
        """;

    // At once and in its former place for the first time; then apart, so that a poison task does not take the same neighbours with it every time.
    private const string Rescue =
        """
        WITH gone AS (DELETE FROM workers WHERE id = ANY ($1) RETURNING id)
        UPDATE tasks t SET worker_id = NULL, lost = t.lost + 1,
            run_at = CASE WHEN t.lost > 0 THEN clock_timestamp() + random() * t.lost * interval '500 ms' ELSE t.run_at END,
            status = CASE WHEN t.lost + 1 >= $2 THEN 'dead' WHEN t.lost > 0 THEN 'scheduled' ELSE 'waiting' END,
            reason = CASE WHEN t.lost + 1 >= $2 THEN format('Its worker went away %s times while it ran.', t.lost + 1) ELSE t.reason END,
            finished_at = CASE WHEN t.lost + 1 >= $2 THEN clock_timestamp() END
        WHERE t.status = 'leased' AND t.worker_id = ANY ($1)
        RETURNING t.queue, t.id, t.status
        """;

    /// <summary>Enters a worker, or enters it again after it was taken for gone.</summary>
    public async Task EnterAsync(RegisteredWorker worker, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(worker);
        await using var enter = database.System.CreateCommand(
            """
            INSERT INTO workers (id, host, process_id, slots, queues, lock_key, started_at, last_seen_at)
            VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())
            ON CONFLICT (id) DO UPDATE SET last_seen_at = clock_timestamp()
            """);
        enter.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Id });
        enter.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Host });
        enter.Parameters.Add(new NpgsqlParameter<int> { TypedValue = worker.ProcessId });
        enter.Parameters.Add(new NpgsqlParameter<int> { TypedValue = worker.Slots });
        enter.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Queues });
        enter.Parameters.Add(new NpgsqlParameter<int> { TypedValue = worker.LockKey });
        await enter.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The heartbeat.</summary>
    /// <returns>False when the worker was taken for gone: its leases have ended.</returns>
    public async Task<bool> BeatAsync(string worker, int running, CancellationToken cancellationToken)
    {
        await using var beat = database.System.CreateCommand("UPDATE workers SET last_seen_at = clock_timestamp(), running = $2 WHERE id = $1");
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = running });
        return await beat.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Slots of all workers together.</summary>
    public async Task<int> SlotsAsync(CancellationToken cancellationToken)
    {
        await using var sum = database.System.CreateCommand("SELECT coalesce(sum(slots), 0)::int FROM workers");
        return (int)(await sum.ExecuteScalarAsync(cancellationToken))!; // an aggregate has one row
    }

    /// <summary>How the workers are. None while PostgreSQL has been up for less than a lease.</summary>
    public async Task<IReadOnlyList<SeenWorker>> LookAsync(TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var look = database.System.CreateCommand(Look);
        look.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = lease });
        look.Parameters.Add(new NpgsqlParameter<int> { TypedValue = LockSpaces.Workers });
        var workers = new List<SeenWorker>();
        await using var row = await look.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            workers.Add(new SeenWorker(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)));
        return workers;
    }

    /// <summary>Strikes out workers that are gone and makes their tasks due; one whose workers went away too often is given up.</summary>
    /// <param name="workers">Ids of the workers.</param>
    /// <param name="mostLosses">Losses after which a task is given up.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<RescuedTask>> RescueAsync(IReadOnlyList<string> workers, int mostLosses, CancellationToken cancellationToken)
    {
        await using var rescue = database.System.CreateCommand(Rescue);
        rescue.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. workers] });
        rescue.Parameters.Add(new NpgsqlParameter<int> { TypedValue = mostLosses });
        var rescued = new List<RescuedTask>();
        await using var row = await rescue.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            rescued.Add(new RescuedTask(row.GetString(0), row.GetString(1), row.GetString(2)));
        return rescued;
    }

    /// <summary>Workers that have leases and are not entered: their leases began while they were struck out.</summary>
    public async Task<IReadOnlyList<string>> StrayAsync(CancellationToken cancellationToken)
    {
        await using var stray = database.SlowCommand(
            """
            SELECT DISTINCT t.worker_id FROM tasks t
            WHERE t.status = 'leased' AND t.leased_at < clock_timestamp() - interval '2 s' AND NOT EXISTS (SELECT FROM workers w WHERE w.id = t.worker_id)
            """);
        return await stray.TextsAsync(cancellationToken);
    }
}

/// <summary>A worker as it enters itself.</summary>
/// <param name="Id">A UUIDv7 as 32 hex digits, new with every start.</param>
/// <param name="Host">Name of its machine.</param>
/// <param name="ProcessId">Its process there.</param>
/// <param name="Slots">Tasks at a time.</param>
/// <param name="Queues">The queues it drains, as its setting says.</param>
/// <param name="LockKey">Second half of its advisory lock, positive.</param>
public sealed record RegisteredWorker(string Id, string Host, int ProcessId, int Slots, string Queues, int LockKey);

/// <summary>A worker as the sweeper sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="IsSilent">Its heartbeat is older than nine tenths of a lease.</param>
/// <param name="IsUnlocked">Nobody holds its lock.</param>
public sealed record SeenWorker(string Id, bool IsSilent, bool IsUnlocked);

/// <summary>A task whose worker went away.</summary>
/// <param name="Queue">Name of its queue.</param>
/// <param name="Id">Id of the task.</param>
/// <param name="Status">What it is now.</param>
public sealed record RescuedTask(string Queue, string Id, string Status)
{
    /// <summary>True when it may run at once.</summary>
    public bool IsDue => Status == QueuedTaskStatus.Waiting;

    /// <summary>True when its workers went away too often.</summary>
    public bool IsDead => Status == QueuedTaskStatus.Dead;
}
