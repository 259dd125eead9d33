namespace OpenHands.Dashboard.Operators;

/// <summary>What a worker told of its queues at one moment, for one choice of queue and state.</summary>
/// <param name="Queues">Counts by queue.</param>
/// <param name="Refused">How many pushed values of each queue are no tasks, of the newest thousand.</param>
/// <param name="Tasks">The tasks of the choice, newest first.</param>
/// <param name="Failure">Why there is nothing; null otherwise.</param>
internal sealed record OperatorView(
    IReadOnlyDictionary<string, QueueState> Queues, IReadOnlyDictionary<string, int> Refused, IReadOnlyList<TaskRow> Tasks, string? Failure)
{
    /// <summary>As many tasks as a page shows.</summary>
    public const int Most = 200;

    private const int MostRefused = 1000;

    /// <summary>Before anybody was asked.</summary>
    public static OperatorView Empty { get; } = new(new Dictionary<string, QueueState>(), new Dictionary<string, int>(), [], null);

    /// <summary>Asks for it.</summary>
    public static async Task<OperatorView> ReadAsync(OperatorClient client, string? queue, string? state, CancellationToken cancellationToken)
    {
        var queues = await client.QueuesAsync(cancellationToken);
        var refused = queues.Failure is null ? await client.RefusedAsync(null, MostRefused, cancellationToken) : new OperatorAnswer<List<RefusedRow>>(null, queues.Failure);
        var tasks = refused.Failure is null ? await client.TasksAsync(queue, state, Most, cancellationToken) : new OperatorAnswer<List<TaskRow>>(null, refused.Failure);
        if (queues.Value is null || refused.Value is null || tasks.Value is null)
        {
            return Empty with { Failure = tasks.Failure ?? "The worker answered with nothing." };
        }

        var values = refused.Value.Where(value => (string.IsNullOrEmpty(queue) || value.Queue == queue) && (string.IsNullOrEmpty(state) || state == TaskRow.Dead));
        return new OperatorView(
            queues.Value.ToDictionary(one => one.Queue),
            refused.Value.CountBy(value => value.Queue).ToDictionary(),
            [.. tasks.Value.Concat(values.Select(value => value.AsTask())).OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id, StringComparer.Ordinal).Take(Most)],
            null);
    }

    /// <summary>Dead letters of a queue, tasks and values that are none; null when nobody was asked.</summary>
    public long? Dead(string queue) => this == Empty || Failure is not null ? null : (Queues.GetValueOrDefault(queue)?.Dead ?? 0) + Refused.GetValueOrDefault(queue);
}
