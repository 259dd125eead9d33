using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>The first tasks of one of those who share a queue.</summary>
/// <param name="FairnessKey">Who.</param>
/// <param name="Ids">The tasks, in the order in which they are to run.</param>
/// <param name="Fronts">Where its lanes begin, as far as the tasks show.</param>
public sealed record QueueHead(string FairnessKey, IReadOnlyList<string> Ids, IReadOnlyList<WaitingLane> Fronts)
{
    // What was enqueued earlier may be committed later, by this much unless a transaction is long.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(1);

    /// <summary>Where a lane begins that has nothing before this time.</summary>
    public static DateTimeOffset Before(DateTimeOffset first, DateTimeOffset now) => first < now - Overlap ? first : now - Overlap;

    /// <summary>Reads rows of fairness key, id, priority, time due and PostgreSQL's clock; in a row without fairness key only the clock counts.</summary>
    internal static async Task<(IReadOnlyList<QueueHead> Heads, DateTimeOffset? Now)> ReadAsync(NpgsqlCommand read, CancellationToken cancellationToken)
    {
        var heads = new List<QueueHead>();
        DateTimeOffset? now = null;
        List<string> ids = [];
        List<WaitingLane> fronts = [];
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            now = row.GetFieldValue<DateTimeOffset>(4);
            if (row.IsDBNull(0))
                continue;
            var (key, priority) = (row.GetString(0), row.GetInt16(2));
            if (heads.Count == 0 || heads[^1].FairnessKey != key)
                heads.Add(new QueueHead(key, ids = [], fronts = []));
            ids.Add(row.GetString(1));
            if (fronts.Count == 0 || fronts[^1].Priority != priority)
                fronts.Add(new WaitingLane(key, priority, Before(row.GetFieldValue<DateTimeOffset>(3), now.Value)));
        }

        return (heads, now);
    }
}

/// <summary>Tasks of a queue with one fairness key and one priority: they run in the order in which they are due.</summary>
/// <param name="FairnessKey">Who.</param>
/// <param name="Priority">The priority.</param>
/// <param name="Since">Nothing that was due before waits any more, but for what was put back.</param>
public sealed record WaitingLane(string FairnessKey, short Priority, DateTimeOffset Since);
