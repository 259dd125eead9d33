using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>Finds in PostgreSQL what is due, by those who share a queue.</summary>
public sealed class WaitingTasks(QueueDatabase database)
{
    // From one fairness key to the next along the index, so that 50,000 tasks of one tenant are not read to find the other.
    private const string Heads =
        """
        WITH RECURSIVE keys AS (
            (SELECT fairness_key FROM tasks WHERE queue = $1 AND status = 'waiting' AND fairness_key {0} $2 ORDER BY fairness_key LIMIT 1)
            UNION ALL
            SELECT (
                SELECT t.fairness_key FROM tasks t WHERE t.queue = $1 AND t.status = 'waiting' AND t.fairness_key > k.fairness_key
                ORDER BY t.fairness_key LIMIT 1)
            FROM keys k WHERE k.fairness_key IS NOT NULL)
        SELECT k.fairness_key, head.id, head.priority, head.run_at, statement_timestamp()
        FROM (SELECT fairness_key FROM keys WHERE fairness_key IS NOT NULL LIMIT $3) k
        CROSS JOIN LATERAL (
            SELECT id, priority, run_at FROM tasks WHERE queue = $1 AND status = 'waiting' AND fairness_key = k.fairness_key
            ORDER BY priority DESC, run_at, id LIMIT $4) head
        """;

    private static readonly string FromStart = Heads.Replace("{0}", ">=", StringComparison.Ordinal);
    private static readonly string FromKey = Heads.Replace("{0}", ">", StringComparison.Ordinal);

    /// <summary>
    /// The first tasks of those who share the queue, in the order in which they are to run. Takes long while a transaction somewhere stays open,
    /// since it passes over everything that waited before: see <see cref="WaitingLanes"/>.
    /// </summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="after">Begins with the fairness key after this; null for the first.</param>
    /// <param name="keys">Most fairness keys.</param>
    /// <param name="each">Most tasks of each.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<QueueHead>> HeadsAsync(string queue, string? after, int keys, int each, CancellationToken cancellationToken)
    {
        await using var read = database.SlowCommand(after is null ? FromStart : FromKey);
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after ?? "" });
        read.Parameters.Add(new NpgsqlParameter<int> { TypedValue = keys });
        read.Parameters.Add(new NpgsqlParameter<int> { TypedValue = each });
        return (await QueueHead.ReadAsync(read, cancellationToken)).Heads;
    }

    /// <summary>The same in the lanes that are known, and in what lies between them, without passing over what waited before.</summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="lanes">The lanes; at least one.</param>
    /// <param name="each">Most tasks of each.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The tasks, and what PostgreSQL's clock said.</returns>
    public async Task<(IReadOnlyList<QueueHead> Heads, DateTimeOffset Now)> LanesAsync(
        string queue, IReadOnlyList<WaitingLane> lanes, int each, CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(WaitingLanes.Query);
        WaitingLanes.AddParameters(read.Parameters, queue, lanes, each);
        var (heads, now) = await QueueHead.ReadAsync(read, cancellationToken);
        return (heads, now ?? throw new InvalidOperationException("The statement always says the time."));
    }

    /// <summary>Makes scheduled tasks due whose time has come.</summary>
    /// <returns>How many.</returns>
    public async Task<int> MakeDueAsync(string queue, CancellationToken cancellationToken)
    {
        await using var due = database.System.CreateCommand(
            """
            UPDATE tasks SET status = 'waiting' WHERE id = ANY (ARRAY(
                SELECT id FROM tasks WHERE queue = $1 AND status = 'scheduled' AND run_at <= statement_timestamp()
                ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED))
            """);
        due.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        return await due.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>How many tasks run, by fairness key.</summary>
    public async Task<IReadOnlyDictionary<string, int>> RunningAsync(string queue, CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(
            "SELECT fairness_key, count(*)::int FROM tasks WHERE queue = $1 AND status = 'leased' GROUP BY fairness_key");
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        var running = new Dictionary<string, int>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            running.Add(row.GetString(0), row.GetInt32(1));
        return running;
    }

    /// <summary>Names of queues that have tasks which are due or will be.</summary>
    public async Task<IReadOnlyList<string>> QueuesAsync(CancellationToken cancellationToken)
    {
        await using var read = database.SlowCommand(
            """
            WITH RECURSIVE waiting AS (
                (SELECT queue FROM tasks WHERE status = 'waiting' ORDER BY queue LIMIT 1)
                UNION ALL
                SELECT (SELECT t.queue FROM tasks t WHERE t.status = 'waiting' AND t.queue > w.queue ORDER BY t.queue LIMIT 1)
                FROM waiting w WHERE w.queue IS NOT NULL),
            scheduled AS (
                (SELECT queue FROM tasks WHERE status = 'scheduled' ORDER BY queue LIMIT 1)
                UNION ALL
                SELECT (SELECT t.queue FROM tasks t WHERE t.status = 'scheduled' AND t.queue > s.queue ORDER BY t.queue LIMIT 1)
                FROM scheduled s WHERE s.queue IS NOT NULL)
            SELECT queue FROM (SELECT queue FROM waiting UNION SELECT queue FROM scheduled) q WHERE queue IS NOT NULL
            """);
        return await read.TextsAsync(cancellationToken);
    }
}
