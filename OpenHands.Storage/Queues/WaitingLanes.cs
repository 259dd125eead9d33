using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>
/// How to look for waiting tasks while a transaction somewhere stays open. The index then keeps an entry of every task that ever waited since,
/// all of them before those that wait now: who begins at the front reads them all, every time. So each lane is entered where it was left, and
/// between the lanes lies what was not known.
/// </summary>
internal static class WaitingLanes
{
    private const short Lowest = -100;
    private const short Highest = 100;

    /// <summary>Answers as <see cref="QueueHead.ReadAsync"/> reads it.</summary>
    public const string Query =
        """
        WITH lanes AS MATERIALIZED (SELECT * FROM unnest($2, $3, $4) AS l(fairness_key, priority, since)),
        keys AS MATERIALIZED (
            SELECT fairness_key, lead(fairness_key) OVER (ORDER BY fairness_key) AS next FROM (SELECT DISTINCT fairness_key FROM lanes) d),
        unknown AS MATERIALIZED (
            (SELECT fairness_key FROM tasks
                WHERE queue = $1 AND status = 'waiting' AND fairness_key < (SELECT min(fairness_key) FROM keys) ORDER BY fairness_key LIMIT 1)
            UNION ALL
            SELECT between_two.fairness_key FROM keys k CROSS JOIN LATERAL (
                SELECT t.fairness_key FROM tasks t
                WHERE t.queue = $1 AND t.status = 'waiting' AND t.fairness_key > k.fairness_key AND t.fairness_key < k.next ORDER BY t.fairness_key LIMIT 1) between_two
            UNION ALL
            (SELECT fairness_key FROM tasks
                WHERE queue = $1 AND status = 'waiting' AND fairness_key > (SELECT max(fairness_key) FROM keys) ORDER BY fairness_key LIMIT 1))
        SELECT l.fairness_key, t.id, t.priority, t.run_at, statement_timestamp() FROM lanes l CROSS JOIN LATERAL (
            SELECT id, priority, run_at FROM tasks
            WHERE queue = $1 AND status = 'waiting' AND fairness_key = l.fairness_key AND priority = l.priority AND run_at >= l.since ORDER BY run_at, id LIMIT $5) t
        UNION ALL
        SELECT g.fairness_key, t.id, t.priority, t.run_at, statement_timestamp() FROM unnest($6, $7, $8) AS g(fairness_key, low, high) CROSS JOIN LATERAL (
            SELECT id, priority, run_at FROM tasks
            WHERE queue = $1 AND status = 'waiting' AND fairness_key = g.fairness_key AND priority BETWEEN g.low AND g.high
            ORDER BY priority DESC, run_at, id LIMIT $5) t
        UNION ALL
        SELECT u.fairness_key, t.id, t.priority, t.run_at, statement_timestamp() FROM unknown u CROSS JOIN LATERAL (
            SELECT id, priority, run_at FROM tasks WHERE queue = $1 AND status = 'waiting' AND fairness_key = u.fairness_key
            ORDER BY priority DESC, run_at, id LIMIT $5) t
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, statement_timestamp()
        ORDER BY 1, 3 DESC, 4, 2
        """;

    /// <summary>Adds what the statement asks for.</summary>
    public static void AddParameters(NpgsqlParameterCollection parameters, string queue, IReadOnlyList<WaitingLane> lanes, int each)
    {
        var gaps = lanes.GroupBy(lane => lane.FairnessKey).SelectMany(key => Gaps(key.Key, [.. key.Select(lane => lane.Priority)])).ToList();
        parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. lanes.Select(lane => lane.FairnessKey)] });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. lanes.Select(lane => lane.Priority)] });
        parameters.Add(new NpgsqlParameter<DateTime[]> { TypedValue = [.. lanes.Select(lane => lane.Since.UtcDateTime)] });
        parameters.Add(new NpgsqlParameter<int> { TypedValue = each });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. gaps.Select(gap => gap.FairnessKey)] });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. gaps.Select(gap => gap.Low)] });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. gaps.Select(gap => gap.High)] });
    }

    private static IEnumerable<(string FairnessKey, short Low, short High)> Gaps(string fairnessKey, IReadOnlyList<short> priorities)
    {
        var low = Lowest;
        foreach (var priority in priorities.Order())
        {
            if (priority > low)
                yield return (fairnessKey, low, (short)(priority - 1));
            low = (short)(priority + 1);
        }

        if (low <= Highest)
            yield return (fairnessKey, low, Highest);
    }
}
