using System.Text.Json;
using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>
/// The leases of one worker on tasks, in batches of one statement. Every lease has a number that grows and never starts anew, and
/// an outcome under any other number settles nothing.
/// </summary>
/// <param name="database">Connects as <c>openhands_system</c>.</param>
/// <param name="worker">Id of the worker.</param>
public sealed class TaskLeases(QueueDatabase database, string worker)
{
    // By the clock of PostgreSQL alone: that of a worker may be wrong. The status as an expression, so that rows are found by their ids: the planner
    // prefers the index of those that wait, which seem to be few whenever it looks, and would read all of them for every lease.
    private const string Lease =
        """
        WITH due AS MATERIALIZED (SELECT ctid AS place FROM tasks WHERE id = ANY ($1) AND queue = $3 AND status || '' = 'waiting' FOR UPDATE SKIP LOCKED)
        UPDATE tasks t SET status = 'leased', worker_id = $2, lease_number = t.lease_number + 1, leased_at = clock_timestamp()
        FROM due WHERE t.ctid = due.place AND EXISTS (SELECT FROM workers WHERE id = $2)
        RETURNING t.id, t.type, t.payload::text, t.attempt, t.lease_number, t.organization_id, t.user_id, t.producer_id, t.max_attempts, t.lost,
            t.trace_parent, greatest(clock_timestamp() - t.run_at, interval '0')
        """;

    // One at a time per queue, so that what runs is counted exactly.
    private const string LeaseWithinLimits =
        """
        WITH running AS MATERIALIZED (
            SELECT fairness_key, count(*) AS tasks FROM tasks WHERE queue = $3 AND status = 'leased' GROUP BY fairness_key),
        due AS MATERIALIZED (
            SELECT id, fairness_key, priority, run_at FROM tasks WHERE id = ANY ($1) AND queue = $3 AND status || '' = 'waiting' FOR UPDATE SKIP LOCKED),
        ranked AS (
            SELECT due.id, row_number() OVER (PARTITION BY due.fairness_key ORDER BY due.priority DESC, due.run_at, due.id)
                + coalesce((SELECT r.tasks FROM running r WHERE r.fairness_key = due.fairness_key), 0) AS of_tenant, due.run_at FROM due),
        allowed AS (
            SELECT id FROM ranked WHERE $5::int IS NULL OR of_tenant <= $5
            ORDER BY run_at LIMIT CASE WHEN $4::int IS NULL THEN NULL ELSE greatest($4 - (SELECT coalesce(sum(tasks), 0) FROM running), 0) END)
        UPDATE tasks t SET status = 'leased', worker_id = $2, lease_number = t.lease_number + 1, leased_at = clock_timestamp()
        FROM allowed WHERE t.id = allowed.id AND EXISTS (SELECT FROM workers WHERE id = $2)
        RETURNING t.id, t.type, t.payload::text, t.attempt, t.lease_number, t.organization_id, t.user_id, t.producer_id, t.max_attempts, t.lost,
            t.trace_parent, greatest(clock_timestamp() - t.run_at, interval '0')
        """;

    private const string Settle =
        """
        WITH fate AS MATERIALIZED (
            SELECT * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)
                AS f(id, lease_number, status, delay, attempt, keeps_lost, result, reason)),
        removed AS (
            DELETE FROM tasks t USING fate f
            WHERE t.id = f.id AND t.lease_number = f.lease_number AND t.worker_id = $1
                AND f.status IN ('done', 'cancelled') AND t.retention = interval '0'
            RETURNING t.id),
        kept AS (
            UPDATE tasks t SET status = f.status, worker_id = NULL, attempt = f.attempt, lost = CASE WHEN f.keeps_lost THEN t.lost ELSE 0 END,
                run_at = CASE WHEN f.status = 'scheduled' THEN clock_timestamp() + f.delay ELSE t.run_at END,
                result = f.result::json, reason = coalesce(f.reason, t.reason),
                finished_at = CASE WHEN f.status IN ('done', 'cancelled', 'dead') THEN clock_timestamp() END,
                expires_at = CASE WHEN f.status IN ('done', 'cancelled') THEN clock_timestamp() + t.retention END
            FROM fate f
            WHERE t.id = f.id AND t.lease_number = f.lease_number AND t.worker_id = $1
                AND NOT (f.status IN ('done', 'cancelled') AND t.retention = interval '0')
            RETURNING t.id)
        SELECT id FROM removed UNION ALL SELECT id FROM kept
        """;

    /// <summary>Id of the worker.</summary>
    public string Worker => worker;

    /// <summary>Leases those of the tasks that are due and that nobody else has.</summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="ids">Ids from its list, or of candidates.</param>
    /// <param name="rule">Limits of the queue; null for none.</param>
    /// <param name="cancellationToken">Ends the attempt; the lease may have been taken all the same.</param>
    public async Task<IReadOnlyList<LeasedTask>> LeaseAsync(string queue, IReadOnlyList<string> ids, QueueRule? rule, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (rule is null or { MaxRunning: null, MaxRunningPerTenant: null })
        {
            await using var lease = database.System.CreateCommand(Lease);
            AddLease(lease.Parameters, queue, ids);
            return await ReadAsync(lease, queue, cancellationToken);
        }

        await using var connection = await database.System.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var one = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1, hashtext($2))", connection, transaction))
        {
            one.Parameters.Add(new NpgsqlParameter<int> { TypedValue = LockSpaces.Limits });
            one.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
            await one.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var within = new NpgsqlCommand(LeaseWithinLimits, connection, transaction);
        AddLease(within.Parameters, queue, ids);
        within.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = rule.MaxRunning });
        within.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = rule.MaxRunningPerTenant });
        var leased = await ReadAsync(within, queue, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return leased;
    }

    /// <summary>Records what became of tasks.</summary>
    /// <returns>Ids of those that were recorded. Any other was not this worker's any more: its lease had ended.</returns>
    public async Task<IReadOnlyList<string>> SettleAsync(IReadOnlyList<Settlement> settlements, CancellationToken cancellationToken)
    {
        await using var settle = database.System.CreateCommand(Settle);
        settle.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        settle.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. settlements.Select(each => each.Id)] });
        settle.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. settlements.Select(each => each.LeaseNumber)] });
        settle.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. settlements.Select(each => each.Status)] });
        settle.Parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = [.. settlements.Select(each => each.Delay)] });
        settle.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. settlements.Select(each => each.FailedAttempts)] });
        settle.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. settlements.Select(each => each.KeepsLost)] });
        settle.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. settlements.Select(each => each.Result)] });
        settle.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. settlements.Select(each => each.Reason)] });
        return await settle.TextsAsync(cancellationToken);
    }

    /// <summary>The leases that PostgreSQL knows of, by task.</summary>
    public async Task<IReadOnlyDictionary<string, long>> HeldAsync(CancellationToken cancellationToken)
    {
        await using var held = database.SlowCommand("SELECT id, lease_number FROM tasks WHERE status = 'leased' AND worker_id = $1");
        held.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        var leases = new Dictionary<string, long>();
        await using var rows = await held.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            leases.Add(rows.GetString(0), rows.GetInt64(1));
        return leases;
    }

    /// <summary>Gives leases back unused; nothing counts.</summary>
    /// <returns>How many.</returns>
    public async Task<int> HandBackAsync(string[] ids, long[] leaseNumbers, CancellationToken cancellationToken)
    {
        await using var handBack = database.System.CreateCommand(
            """
            UPDATE tasks t SET status = 'waiting', worker_id = NULL FROM unnest($2, $3) AS l(id, lease_number)
            WHERE t.id = l.id AND t.lease_number = l.lease_number AND t.worker_id = $1
            """);
        handBack.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        handBack.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = ids });
        handBack.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = leaseNumbers });
        return await handBack.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The tasks of this worker that somebody wants to be cancelled.</summary>
    /// <param name="running">Ids of its tasks.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<string>> CancelledAsync(IReadOnlyList<string> running, CancellationToken cancellationToken)
    {
        await using var cancelled = database.System.CreateCommand(
            "SELECT id FROM tasks WHERE id = ANY ($2) AND status = 'leased' AND worker_id = $1 AND cancel_requested");
        cancelled.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        cancelled.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. running] });
        return await cancelled.TextsAsync(cancellationToken);
    }

    /// <summary>Notes how far a task is.</summary>
    /// <returns>False when the lease has ended.</returns>
    public async Task<bool> ReportAsync(QueuedTask task, string progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(task);
        await using var report = database.System.CreateCommand(
            "UPDATE tasks SET progress = $4::json WHERE id = $1 AND lease_number = $2 AND worker_id = $3");
        report.Parameters.Add(new NpgsqlParameter<string> { TypedValue = task.Id });
        report.Parameters.Add(new NpgsqlParameter<long> { TypedValue = task.LeaseNumber });
        report.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        report.Parameters.Add(new NpgsqlParameter<string> { TypedValue = progress });
        return await report.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private void AddLease(NpgsqlParameterCollection parameters, string queue, IReadOnlyList<string> ids)
    {
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ids] });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
    }

    private static async Task<IReadOnlyList<LeasedTask>> ReadAsync(NpgsqlCommand command, string queue, CancellationToken cancellationToken)
    {
        var leased = new List<LeasedTask>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            var task = new QueuedTask(row.GetString(0), queue, row.GetString(1), JsonElement.Parse(row.GetString(2)), row.GetInt32(3) + 1, row.GetInt64(4))
            {
                OrganizationId = Text(5),
                UserId = Text(6),
                ProducerId = Text(7),
            };
            leased.Add(new LeasedTask(task, row.IsDBNull(8) ? null : row.GetInt32(8), row.GetInt32(9), Text(10), row.GetTimeSpan(11)));
        }

        return leased;

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }
}
