using System.Diagnostics;
using System.Text;

namespace OpenHands.Storage.Queues;

/// <summary>The rows of new tasks as the columns of one statement: one round trip, however many there are.</summary>
internal sealed class TaskInsert
{
    /// <summary>Most tasks of one statement.</summary>
    public const int Most = 10_000;

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
    }

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

    /// <summary>The span that enqueues, so that the task belongs to the same trace.</summary>
    public string? TraceParent { get; } = Activity.Current is { IdFormat: ActivityIdFormat.W3C } span ? span.Id : null;

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
        return insert;
    }

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
