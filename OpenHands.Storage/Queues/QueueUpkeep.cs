namespace OpenHands.Storage.Queues;

/// <summary>Deletes what has been kept long enough, and measures the queues.</summary>
public sealed class QueueUpkeep(QueueDatabase database)
{
    /// <summary>Deletes finished tasks past their retention and counts older than a day, some at a time.</summary>
    public async Task DeleteExpiredAsync(CancellationToken cancellationToken)
    {
        // No index finds what is compared with clock_timestamp(): that is another time for every row.
        await using var delete = database.SlowCommand(
            """
            WITH counts AS (DELETE FROM queue_minutes WHERE minute < statement_timestamp() - interval '1 day')
            DELETE FROM tasks WHERE id = ANY (ARRAY(
                SELECT id FROM tasks WHERE expires_at < statement_timestamp() ORDER BY expires_at LIMIT 2000 FOR UPDATE SKIP LOCKED))
            """);
        await delete.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>How many tasks of each queue are due, and for how long.</summary>
    public async Task<IReadOnlyList<QueueDepth>> DepthsAsync(CancellationToken cancellationToken)
    {
        await using var read = database.SlowCommand(
            "SELECT queue, count(*), greatest(clock_timestamp() - min(run_at), interval '0') FROM tasks WHERE status = 'waiting' GROUP BY queue");
        var depths = new List<QueueDepth>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            depths.Add(new QueueDepth(row.GetString(0), row.GetInt64(1), row.GetTimeSpan(2)));
        return depths;
    }
}

/// <summary>How full a queue is.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Waiting">Tasks that are due.</param>
/// <param name="OldestAge">How long the oldest of them has been due.</param>
public sealed record QueueDepth(string Queue, long Waiting, TimeSpan OldestAge);
