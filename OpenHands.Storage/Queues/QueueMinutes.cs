using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>How many tasks of each queue ended how, by the minute, for a day.</summary>
public sealed class QueueMinutes(QueueDatabase database)
{
    /// <summary>Adds to the running minute.</summary>
    public async Task AddAsync(string worker, IReadOnlyList<QueueCount> counts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(counts);
        await using var add = database.System.CreateCommand(
            """
            INSERT INTO queue_minutes AS m (queue, minute, worker_id, done, retried, dead)
            SELECT c.queue, date_trunc('minute', clock_timestamp()), $1, c.done, c.retried, c.dead FROM unnest($2, $3, $4, $5) AS c(queue, done, retried, dead)
            ON CONFLICT (queue, minute, worker_id) DO UPDATE
            SET done = m.done + excluded.done, retried = m.retried + excluded.retried, dead = m.dead + excluded.dead
            """);
        add.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        add.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. counts.Select(count => count.Queue)] });
        add.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. counts.Select(count => count.Done)] });
        add.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. counts.Select(count => count.Retried)] });
        add.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. counts.Select(count => count.Dead)] });
        await add.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>What a worker counted of a queue.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Done">Tasks that are done.</param>
/// <param name="Retried">Attempts that failed and are repeated.</param>
/// <param name="Dead">Tasks that were given up.</param>
public sealed record QueueCount(string Queue, long Done, long Retried, long Dead);
