using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Sessions;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Sessions;

/// <summary>Deletes saved sessions that have expired.</summary>
internal sealed class SessionCleanUp(QueueDatabase database) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "sessions.clean_up";

    /// <summary>Every hour, when others do not.</summary>
    public static RecurringTask Hourly { get; } = new(Type, "17 * * * *", new NewTask(MaintenanceQueue.Name, Type));

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        var total = 0;
        while (await ExpiredSessions.DeleteAsync(database, cancellationToken) is > 0 and var deleted)
            total += deleted;
        return new TaskOutcome.Done(new JsonObject { ["deleted"] = total });
    }
}
