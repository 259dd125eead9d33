using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>What only operators of the whole platform see: all tenants' tasks, rates over all workers, the workers, and values that never became tasks.</summary>
public sealed class SystemQueues(QueueDatabase database)
{
    /// <summary>The directory of all tasks; dispose the context with which it comes.</summary>
    public (OpenHandsDb Db, TaskDirectory Tasks) Open()
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(database.System).UseSnakeCaseNamingConvention();
        var db = new OpenHandsDb(options.Options);
        return (db, new TaskDirectory(db, organization: null));
    }

    /// <summary>How many tasks of each queue ended how, minute by minute, for the last minutes.</summary>
    public async Task<IReadOnlyList<QueueMinute>> MinutesAsync(int minutes, CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(
            """
            SELECT queue, minute, sum(done)::bigint, sum(retried)::bigint, sum(dead)::bigint FROM queue_minutes
            WHERE minute > statement_timestamp() - $1 GROUP BY queue, minute ORDER BY queue, minute
            """);
        read.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = TimeSpan.FromMinutes(minutes) });
        var rates = new List<QueueMinute>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            rates.Add(new QueueMinute(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)));
        return rates;
    }

    /// <summary>The workers that there are.</summary>
    public async Task<IReadOnlyList<WorkerOverview>> WorkersAsync(CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(
            """
            SELECT id, host, process_id, slots, running, queues, started_at, extract(epoch FROM clock_timestamp() - last_seen_at)::float8
            FROM workers ORDER BY started_at
            """);
        var workers = new List<WorkerOverview>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            workers.Add(new WorkerOverview(
                row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetInt32(3), row.GetInt32(4), row.GetString(5), row.GetFieldValue<DateTimeOffset>(6), row.GetDouble(7)));
        }

        return workers;
    }

    /// <summary>Values that others pushed and that are no tasks, newest first.</summary>
    public async Task<IReadOnlyList<RefusedValue>> RefusedAsync(string? queue, int most, CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(
            """
            SELECT id, queue, reason, octet_length(value), left(encode(substr(value, 1, 200), 'escape'), 200), created_at FROM dead_letters
            WHERE $1::text IS NULL OR queue = $1 ORDER BY id DESC LIMIT $2
            """);
        read.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = queue });
        read.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        var refused = new List<RefusedValue>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            refused.Add(new RefusedValue(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetString(4), row.GetFieldValue<DateTimeOffset>(5)));
        return refused;
    }

    /// <summary>Such a value with as much of its content as can be shown; null when there is none of this id.</summary>
    public async Task<RefusedContent?> FindRefusedAsync(string id, CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(
            "SELECT id, queue, reason, octet_length(value), encode(substr(value, 1, 65536), 'escape'), created_at FROM dead_letters WHERE id = $1");
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new RefusedContent(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetString(4), row.GetFieldValue<DateTimeOffset>(5))
            : null;
    }

    /// <summary>
    /// Judges such a value once more: as a task it waits from now on, under the same id; otherwise it stays where it is, with the reason and time
    /// of this judgement.
    /// </summary>
    public async Task<RefusedReplay> ReplayRefusedAsync(string id, CancellationToken cancellationToken)
    {
        await using var connection = await database.System.OpenConnectionAsync(cancellationToken);
        await using var read = new NpgsqlCommand("SELECT queue, value FROM dead_letters WHERE id = $1", connection);
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        (string Queue, byte[] Value) letter;
        await using (var row = await read.ExecuteReaderAsync(cancellationToken))
        {
            if (!await row.ReadAsync(cancellationToken))
                return new RefusedReplay(TaskChange.NotFound, null);
            letter = (row.GetString(0), row.GetFieldValue<byte[]>(1));
        }

        // One transaction; whoever replays it at the same time inserts nothing.
        await using var batch = new NpgsqlBatch(connection);
        if (QueuedTaskReader.TryRead(letter.Value, out var task, out var reason))
        {
            batch.BatchCommands.Add(TaskAdoption.InsertOf(letter.Queue, [(id, task, null)]));
            batch.BatchCommands.Add(new("DELETE FROM dead_letters WHERE id = $1") { Parameters = { new NpgsqlParameter<string> { TypedValue = id } } });
        }
        else
        {
            batch.BatchCommands.Add(new("UPDATE dead_letters SET reason = $2, created_at = clock_timestamp() WHERE id = $1")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = id }, new NpgsqlParameter<string> { TypedValue = reason } },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
        return new RefusedReplay(reason is null ? TaskChange.Done : TaskChange.NotInThisState, reason);
    }

    /// <summary>Deletes such values of a queue.</summary>
    /// <returns>How many.</returns>
    public async Task<int> PurgeRefusedAsync(string queue, CancellationToken cancellationToken)
    {
        await using var purge = database.System.CreateCommand("DELETE FROM dead_letters WHERE queue = $1");
        purge.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        return await purge.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>A minute of a queue.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Minute">When it began.</param>
/// <param name="Done">Tasks that were done.</param>
/// <param name="Retried">Attempts that failed and are repeated.</param>
/// <param name="Dead">Tasks that were given up.</param>
public sealed record QueueMinute(string Queue, DateTimeOffset Minute, long Done, long Retried, long Dead);

/// <summary>A worker in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Host">Name of its machine.</param>
/// <param name="ProcessId">Its process there.</param>
/// <param name="Slots">Tasks at a time.</param>
/// <param name="Running">Tasks at its last heartbeat.</param>
/// <param name="Queues">The queues it drains.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="SilentSeconds">Age of its heartbeat.</param>
public sealed record WorkerOverview(
    string Id, string Host, int ProcessId, int Slots, int Running, string Queues, DateTimeOffset StartedAt, double SilentSeconds);

/// <summary>A pushed value that is no task.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Reason">Why it is none.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Beginning">Its first 200 bytes, with escapes for what is no ASCII.</param>
/// <param name="CreatedAt">When it was set aside.</param>
public sealed record RefusedValue(string Id, string Queue, string Reason, int Bytes, string Beginning, DateTimeOffset CreatedAt);

/// <summary>A pushed value that is no task, with its content.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Reason">Why it is none.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Value">Its first 65,536 bytes, with escapes for what is no ASCII.</param>
/// <param name="CreatedAt">When it was set aside, or judged again.</param>
public sealed record RefusedContent(string Id, string Queue, string Reason, int Bytes, string Value, DateTimeOffset CreatedAt);

/// <summary>What became of a value that was judged once more.</summary>
/// <param name="Change">Done when it is a task now.</param>
/// <param name="Reason">Why it still is none; null otherwise.</param>
public sealed record RefusedReplay(TaskChange Change, string? Reason);
