using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>Enqueues tasks of the platform itself, which belong to no user, as the role <c>openhands_system</c>.</summary>
public sealed class SystemTaskQueue(QueueDatabase database, QueueWindow window, TimeProvider time)
{
    private const string Tenant = "";

    private const string Insert =
        """
        INSERT INTO tasks (id, queue, type, payload, organization_id, fairness_key, priority, status, run_at, max_attempts,
            idempotency_key, retention, trace_parent, created_at)
        SELECT n.id, n.queue, n.type, n.payload::json, $11, n.fairness_key, n.priority,
            CASE WHEN n.delay > interval '0' THEN 'scheduled' ELSE 'waiting' END, clock_timestamp() + n.delay, n.max_attempts,
            n.idempotency_key, n.retention, $12, clock_timestamp()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            AS n(id, queue, type, payload, fairness_key, priority, delay, max_attempts, idempotency_key, retention)
        ON CONFLICT DO NOTHING
        RETURNING id
        """;

    /// <summary>Enqueues in a transaction of its own and announces the tasks.</summary>
    /// <returns>The ids of those that are new.</returns>
    public async Task<IReadOnlyList<string>> EnqueueAsync(IReadOnlyList<NewTask> tasks, CancellationToken cancellationToken)
    {
        await using var connection = await database.System.OpenConnectionAsync(cancellationToken);
        var ids = await InsertAsync(connection, tasks, organization: null, cancellationToken);
        await AnnounceAsync(tasks, ids);
        return ids;
    }

    /// <summary>Inserts within whatever transaction the connection is in; afterwards <see cref="AnnounceAsync"/> is the caller's to call.</summary>
    /// <param name="connection">Connects as <c>openhands_system</c>.</param>
    /// <param name="tasks">What to enqueue.</param>
    /// <param name="organization">The organization that they are for; null for none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<string>> InsertAsync(NpgsqlConnection connection, IReadOnlyList<NewTask> tasks, string? organization, CancellationToken cancellationToken)
    {
        var rows = TaskInsert.Of(tasks, organization ?? Tenant, time);
        await using var insert = new NpgsqlCommand(Insert, connection);
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = rows.Ids });
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = rows.Queues });
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = rows.Types });
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = rows.Payloads });
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = rows.FairnessKeys });
        insert.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = rows.Priorities });
        insert.Parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = rows.Delays });
        insert.Parameters.Add(new NpgsqlParameter<int?[]> { TypedValue = rows.MaxAttempts });
        insert.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = rows.IdempotencyKeys });
        insert.Parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = rows.Retentions });
        insert.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = organization });
        insert.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = rows.TraceParent });
        return await insert.TextsAsync(cancellationToken);
    }

    /// <summary>Announces tasks that are committed. Whatever is not announced the feeder finds.</summary>
    public async Task AnnounceAsync(IReadOnlyList<NewTask> tasks, IReadOnlyList<string> ids)
    {
        // Ids of a mixed list cannot be told apart when some were there already: the feeder finds those.
        if (ids.Count != tasks.Count)
            return;
        var due = Enumerable.Range(0, ids.Count).Where(i => tasks[i].Delay <= TimeSpan.Zero);
        foreach (var queue in due.GroupBy(i => tasks[i].Queue, i => ids[i]))
            await window.PushAsync(queue.Key, [.. queue]);
    }
}
