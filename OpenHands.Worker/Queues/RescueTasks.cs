using Microsoft.Extensions.Options;
using Npgsql;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Takes the tasks of workers that are gone away from them, announces them before all others, and ends what is left of the workers' sessions.</summary>
internal sealed partial class RescueTasks(
    WorkerRegistry registry,
    QueueDatabase database,
    QueueWindow window,
    QueueSignals signals,
    WorkerMetrics metrics,
    IOptions<WorkerOptions> options,
    ILogger<RescueTasks> logger)
{
    /// <summary>Rescues.</summary>
    /// <param name="gone">Ids of the workers.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task OfAsync(IReadOnlyList<string> gone, CancellationToken cancellationToken)
    {
        var rescued = await registry.RescueAsync(gone, options.Value.MaxLosses, cancellationToken);
        foreach (var queue in rescued.GroupBy(task => task.Queue))
        {
            string[] due = [.. queue.Where(task => task.IsDue).Select(task => task.Id)];
            await window.PushAheadAsync(queue.Key, due);
            signals.Wake(queue.Key);
            var alive = queue.Count(task => !task.IsDead);
            metrics.Rescue(queue.Key, alive);
            LogRescued(alive, queue.Key, string.Join(", ", gone));
            foreach (var dead in queue.Where(task => task.IsDead))
                LogPoison(dead.Id, queue.Key);
        }

        await EndSessionsAsync(gone, cancellationToken);
    }

    // The session of a lost host lives until TCP gives it up.
    private async Task EndSessionsAsync(IReadOnlyList<string> gone, CancellationToken cancellationToken)
    {
        await using var direct = new NpgsqlConnection(database.Direct("openhands sweeper"));
        await direct.OpenAsync(cancellationToken);
        await using var end = new NpgsqlCommand(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY ($1) AND usename = current_user", direct);
        end.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. gone.Select(WorkerIdentity.SessionNameOf)] });
        await end.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "Rescued {Count} tasks of queue {Queue}: their worker went away ({Workers})")]
    private partial void LogRescued(int count, string queue, string workers);

    [LoggerMessage(LogLevel.Error, "Task {Id} of queue {Queue} is a dead letter: its workers went away too often while it ran")]
    private partial void LogPoison(string id, string queue);
}
