using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>Enqueues tasks of the platform itself, which belong to no user, as the role <c>openhands_system</c>.</summary>
public sealed class SystemTaskQueue(QueueDatabase database, QueueWindow window, TimeProvider time)
{
    private const string Tenant = "";

    /// <summary>Enqueues in a transaction of its own and announces the tasks.</summary>
    /// <returns>The ids of those that are new.</returns>
    public async Task<IReadOnlyList<string>> EnqueueAsync(IReadOnlyList<NewTask> tasks, CancellationToken cancellationToken)
    {
        await using var connection = await database.System.OpenConnectionAsync(cancellationToken);
        var ids = await InsertAsync(connection, tasks, organization: null, cancellationToken);
        await AnnounceAsync(tasks, ids);
        return ids;
    }

    /// <summary>Inserts within whatever transaction the connection is in; afterwards <see cref="AnnounceAsync"/> is the caller's to call.</summary>
    /// <param name="connection">Connects as <c>openhands_system</c>.</param>
    /// <param name="tasks">What to enqueue.</param>
    /// <param name="organization">The organization that they are for; null for none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<string>> InsertAsync(NpgsqlConnection connection, IReadOnlyList<NewTask> tasks, string? organization, CancellationToken cancellationToken)
    {
        var rows = TaskInsert.Of(tasks, organization ?? Tenant, time);
        await using var insert = new NpgsqlCommand(TaskInsert.Statement, connection);
        rows.AddTo(insert.Parameters, organization, user: null);
        return await insert.TextsAsync(cancellationToken);
    }

    /// <summary>Announces tasks that are committed. Whatever is not announced the feeder finds.</summary>
    public async Task AnnounceAsync(IReadOnlyList<NewTask> tasks, IReadOnlyList<string> ids)
    {
        // Ids of a mixed list cannot be told apart when some were there already: the feeder finds those.
        if (ids.Count != tasks.Count)
            return;
        var due = Enumerable.Range(0, ids.Count).Where(i => tasks[i].Delay <= TimeSpan.Zero);
        foreach (var queue in due.GroupBy(i => tasks[i].Queue, i => ids[i]))
            await window.PushAsync(queue.Key, [.. queue]);
    }
}
