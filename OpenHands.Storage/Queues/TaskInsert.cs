using System.Diagnostics;
using System.Text;
using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>The rows of new tasks as the columns of one statement: one round trip, however many there are.</summary>
internal sealed class TaskInsert
{
    /// <summary>Most tasks of one statement.</summary>
    public const int Most = 10_000;

    /// <summary>Inserts them and returns the ids of those that are new. Parameters by <see cref="AddTo"/>.</summary>
    public const string Statement =
        """
        INSERT INTO tasks (id, queue, type, payload, organization_id, user_id, fairness_key, priority, status, run_at, max_attempts,
            idempotency_key, retention, trace_parent, created_at)
        SELECT n.id, n.queue, n.type, n.payload::json, $12, $13, n.fairness_key, n.priority,
            CASE WHEN n.delay > interval '0' THEN 'scheduled' ELSE 'waiting' END, clock_timestamp() + n.delay, n.max_attempts,
            n.idempotency_key, n.retention, n.trace_parent, clock_timestamp()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            AS n(id, queue, type, payload, fairness_key, priority, delay, max_attempts, idempotency_key, retention, trace_parent)
        ON CONFLICT DO NOTHING
        RETURNING id
        """;

    private TaskInsert(int count)
    {
        Ids = new string[count];
        Queues = new string[count];
        Types = new string[count];
        Payloads = new string[count];
        FairnessKeys = new string[count];
        Priorities = new short[count];
        Delays = new TimeSpan[count];
        MaxAttempts = new int?[count];
        IdempotencyKeys = new string?[count];
        Retentions = new TimeSpan[count];
        TraceParents = new string?[count];
    }

    /// <summary>How many.</summary>
    public int Count => Ids.Length;

    public string[] Ids { get; }

    public string[] Queues { get; }

    public string[] Types { get; }

    public string[] Payloads { get; }

    public string[] FairnessKeys { get; }

    public short[] Priorities { get; }

    public TimeSpan[] Delays { get; }

    public int?[] MaxAttempts { get; }

    public string?[] IdempotencyKeys { get; }

    public TimeSpan[] Retentions { get; }

    /// <summary>The span that enqueued each, so that the task belongs to the same trace.</summary>
    public string?[] TraceParents { get; }

    /// <summary>Reads the tasks.</summary>
    /// <param name="tasks">What to enqueue.</param>
    /// <param name="tenant">Fairness key of tasks that name none.</param>
    /// <param name="time">Stamps the ids.</param>
    /// <exception cref="ArgumentException">One of them has a defect, which the message names.</exception>
    public static TaskInsert Of(IReadOnlyList<NewTask> tasks, string tenant, TimeProvider time)
    {
        if (tasks.Count > Most)
            throw new ArgumentException($"At most {Most} tasks are enqueued at once.", nameof(tasks));
        var insert = new TaskInsert(tasks.Count);
        for (var i = 0; i < tasks.Count; i++)
            insert.Set(i, tasks[i], tenant, time);
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } span)
            Array.Fill(insert.TraceParents, span.Id);
        return insert;
    }

    /// <summary>Several as one.</summary>
    public static TaskInsert Join(IReadOnlyList<TaskInsert> inserts)
    {
        if (inserts.Count == 1)
            return inserts[0];
        var (joined, at) = (new TaskInsert(inserts.Sum(insert => insert.Count)), 0);
        foreach (var insert in inserts)
        {
            insert.Ids.CopyTo(joined.Ids, at);
            insert.Queues.CopyTo(joined.Queues, at);
            insert.Types.CopyTo(joined.Types, at);
            insert.Payloads.CopyTo(joined.Payloads, at);
            insert.FairnessKeys.CopyTo(joined.FairnessKeys, at);
            insert.Priorities.CopyTo(joined.Priorities, at);
            insert.Delays.CopyTo(joined.Delays, at);
            insert.MaxAttempts.CopyTo(joined.MaxAttempts, at);
            insert.IdempotencyKeys.CopyTo(joined.IdempotencyKeys, at);
            insert.Retentions.CopyTo(joined.Retentions, at);
            insert.TraceParents.CopyTo(joined.TraceParents, at);
            at += insert.Count;
        }

        return joined;
    }

    /// <summary>Gives a command the parameters of <see cref="Statement"/>.</summary>
    /// <param name="parameters">Of the command.</param>
    /// <param name="organization">The organization that the tasks are for; null for none.</param>
    /// <param name="user">The user as whom they work; null for the platform itself.</param>
    public void AddTo(NpgsqlParameterCollection parameters, string? organization, string? user)
    {
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Ids });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Queues });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Types });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Payloads });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = FairnessKeys });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = Priorities });
        parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = Delays });
        parameters.Add(new NpgsqlParameter<int?[]> { TypedValue = MaxAttempts });
        parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = IdempotencyKeys });
        parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = Retentions });
        parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = TraceParents });
        parameters.Add(new NpgsqlParameter<string?> { TypedValue = organization });
        parameters.Add(new NpgsqlParameter<string?> { TypedValue = user });
    }

    /// <summary>The ids of those that are new and due, by queue.</summary>
    public IEnumerable<(string Queue, string[] Ids)> Due(HashSet<string> isNew) =>
        Enumerable.Range(0, Count).Where(i => Delays[i] <= TimeSpan.Zero && isNew.Contains(Ids[i]))
            .GroupBy(i => Queues[i], i => Ids[i]).Select(queue => (queue.Key, queue.ToArray()));

    private void Set(int i, NewTask task, string tenant, TimeProvider time)
    {
        if (task.Problem() is { } problem)
            throw new ArgumentException(problem, nameof(task));
        var payload = task.Payload?.ToJsonString() ?? "null";
        if (Encoding.UTF8.GetByteCount(payload) > QueuedTaskReader.MaxBytes)
            throw new ArgumentException("The payload is larger than 1 MiB.", nameof(task));

        Ids[i] = EntityId.New(time);
        Queues[i] = task.Queue;
        Types[i] = task.Type;
        Payloads[i] = payload;
        FairnessKeys[i] = task.FairnessKey ?? tenant;
        Priorities[i] = task.Priority;
        Delays[i] = task.Delay;
        MaxAttempts[i] = task.MaxAttempts;
        IdempotencyKeys[i] = task.IdempotencyKey;
        Retentions[i] = task.Retention;
    }
}
