using Npgsql;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Enqueues recurring tasks: exactly one per tick over all workers, since the tick is struck out in the transaction that enqueues.
/// By PostgreSQL's clock. Of ticks that passed while nobody was there, one is made up for.
/// </summary>
internal sealed partial class RecurringTasks(
    IEnumerable<RecurringTask> recurring, QueueDatabase database, SystemTaskQueue queue, TimeProvider time, ILogger<RecurringTasks> logger) : IElectedDuty
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc />
    public string Kind => "recur";

    /// <inheritdoc />
    public IReadOnlyCollection<string> Names { get; } = ["all"];

    /// <inheritdoc />
    public async Task DoAsync(string name, CancellationToken term)
    {
        while (true)
        {
            foreach (var each in recurring)
                await TickAsync(each, term);
            await Task.Delay(Interval, time, term);
        }
    }

    /// <summary>Enqueues the task if its time has come and nobody else has done so.</summary>
    /// <returns>Id of the task; null when there was nothing to do.</returns>
    public async Task<string?> TickAsync(RecurringTask each, CancellationToken cancellationToken)
    {
        await using var connection = await database.System.OpenConnectionAsync(cancellationToken);
        if (await FindDueAsync(connection, each, cancellationToken) is not var (tick, now))
            return null;

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var strike = new NpgsqlCommand("UPDATE recurring_tasks SET last_at = next_at, next_at = $3 WHERE name = $1 AND next_at = $2", connection, transaction);
        strike.Parameters.Add(new NpgsqlParameter<string> { TypedValue = each.Name });
        strike.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = tick });
        strike.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = each.Next(now) });
        if (await strike.ExecuteNonQueryAsync(cancellationToken) == 0)
            return null;

        NewTask[] tasks = [each.Task with { IdempotencyKey = $"{each.Name}@{tick.UtcDateTime:O}" }];
        var ids = await queue.InsertAsync(connection, tasks, organization: null, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        await queue.AnnounceAsync(tasks, ids);
        LogTick(each.Name, tick, each.Task.Queue);
        return ids.SingleOrDefault();
    }

    // The row is made, and changed together with the cron expression, by whoever sees it first.
    private static async Task<(DateTimeOffset Tick, DateTimeOffset Now)?> FindDueAsync(NpgsqlConnection connection, RecurringTask each, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT clock_timestamp(), (SELECT next_at FROM recurring_tasks WHERE name = $1 AND cron = $2)", connection);
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = each.Name });
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = each.Cron });
        DateTimeOffset now;
        DateTimeOffset? next;
        await using (var row = await find.ExecuteReaderAsync(cancellationToken))
        {
            await row.ReadAsync(cancellationToken);
            (now, next) = (row.GetFieldValue<DateTimeOffset>(0), row.IsDBNull(1) ? null : row.GetFieldValue<DateTimeOffset>(1));
        }

        if (next is not null)
            return next <= now ? (next.Value, now) : null;
        await using var enter = new NpgsqlCommand(
            """
            INSERT INTO recurring_tasks (name, cron, next_at) VALUES ($1, $2, CASE WHEN $4 THEN $5 ELSE $3 END)
            ON CONFLICT (name) DO UPDATE SET cron = $2, next_at = $3 WHERE recurring_tasks.cron <> $2
            """, connection);
        enter.Parameters.Add(new NpgsqlParameter<string> { TypedValue = each.Name });
        enter.Parameters.Add(new NpgsqlParameter<string> { TypedValue = each.Cron });
        enter.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = each.Next(now) });
        enter.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = each.IsDueAtFirst });
        enter.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        await enter.ExecuteNonQueryAsync(cancellationToken);
        return null;
    }

    [LoggerMessage(LogLevel.Information, "Recurring task {Name} of {Tick:O} is enqueued in {Queue}")]
    private partial void LogTick(string name, DateTimeOffset tick, string queue);
}
