using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>Takes values that others pushed into the table of tasks, or sets them aside with the reason: the moment from which they are not lost any more.</summary>
public sealed class TaskAdoption(QueueDatabase database, QueueWindow window)
{
    private const string InsertTasks =
        """
        INSERT INTO tasks (id, queue, type, payload, fairness_key, priority, status, run_at, reason, producer_id, retention, created_at, finished_at)
        SELECT n.id, n.queue, n.type, n.payload::json, '', 0, CASE WHEN n.reason IS NULL THEN 'waiting' ELSE 'dead' END, clock_timestamp(), n.reason,
            n.producer_id, $7, clock_timestamp(), CASE WHEN n.reason IS NULL THEN NULL ELSE clock_timestamp() END
        FROM unnest($1, $2, $3, $4, $5, $6) AS n(id, queue, type, payload, producer_id, reason)
        ON CONFLICT (id) DO NOTHING
        """;

    private const string InsertDeadLetters =
        """
        INSERT INTO dead_letters (id, queue, value, reason, created_at)
        SELECT n.id, n.queue, n.value, n.reason, clock_timestamp() FROM unnest($1, $2, $3, $4) AS n(id, queue, value, reason)
        ON CONFLICT (id) DO NOTHING
        """;

    /// <summary>Stores the values and then forgets them in Redis, in this order; doing it again stores nothing twice.</summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="values">What was taken.</param>
    /// <param name="knows">True for types that have a handler.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<AdoptedValues> AdoptAsync(string queue, IReadOnlyList<ForeignValue> values, Func<string, bool> knows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(knows);
        var tasks = new List<(string Id, PushedTask Task, string? Reason)>();
        var refused = new List<(string Id, ReadOnlyMemory<byte> Value, string Reason)>();
        foreach (var value in values)
        {
            if (QueuedTaskReader.TryRead(value.Value, out var task, out var reason))
                tasks.Add((value.Id, task, knows(task.Type) ? null : UnknownType));
            else
                refused.Add((value.Id, value.Value, reason));
        }

        await StoreAsync(queue, tasks, refused, cancellationToken);
        await window.AdoptedAsync(queue, values);
        return new AdoptedValues(
            [.. tasks.Where(task => task.Reason is null).Select(task => task.Id)],
            [.. refused.Select(letter => (letter.Id, letter.Reason)), .. tasks.Where(task => task.Reason is not null).Select(task => (task.Id, UnknownType))]);
    }

    /// <summary>Why a task without a handler is given up.</summary>
    public const string UnknownType = "There is no handler for its type.";

    /// <summary>Stores values that are tasks; doing it again stores nothing twice.</summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="tasks">Id and task of each, and why it is given up at once; null for none.</param>
    internal static NpgsqlBatchCommand InsertOf(string queue, IReadOnlyList<(string Id, PushedTask Task, string? Reason)> tasks) => new(InsertTasks)
    {
        Parameters =
        {
            new NpgsqlParameter<string[]> { TypedValue = [.. tasks.Select(task => task.Id)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. tasks.Select(_ => queue)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. tasks.Select(task => task.Task.Type)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. tasks.Select(task => task.Task.Payload)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. tasks.Select(task => task.Task.ProducerId)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. tasks.Select(task => task.Reason)] },
            new NpgsqlParameter<TimeSpan> { TypedValue = NewTask.DefaultRetention },
        },
    };

    private async Task StoreAsync(
        string queue,
        List<(string Id, PushedTask Task, string? Reason)> tasks,
        List<(string Id, ReadOnlyMemory<byte> Value, string Reason)> refused,
        CancellationToken cancellationToken)
    {
        await using var batch = database.System.CreateBatch();
        if (tasks.Count > 0)
            batch.BatchCommands.Add(InsertOf(queue, tasks));

        if (refused.Count > 0)
        {
            batch.BatchCommands.Add(new(InsertDeadLetters)
            {
                Parameters =
                {
                    new NpgsqlParameter<string[]> { TypedValue = [.. refused.Select(letter => letter.Id)] },
                    new NpgsqlParameter<string[]> { TypedValue = [.. refused.Select(_ => queue)] },
                    new NpgsqlParameter<byte[][]> { TypedValue = [.. refused.Select(letter => letter.Value.ToArray())] },
                    new NpgsqlParameter<string[]> { TypedValue = [.. refused.Select(letter => letter.Reason)] },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>What became of values that others pushed.</summary>
/// <param name="Tasks">Ids of those that are tasks now.</param>
/// <param name="DeadLetters">Ids of those that cannot be handled, with the reason.</param>
public sealed record AdoptedValues(IReadOnlyList<string> Tasks, IReadOnlyList<(string Id, string Reason)> DeadLetters);
