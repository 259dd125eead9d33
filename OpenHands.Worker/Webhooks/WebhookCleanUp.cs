using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Webhooks;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Webhooks;

/// <summary>Deletes what the log of deliveries has kept for a month.</summary>
internal sealed class WebhookCleanUp(WebhookLog log) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "webhooks.clean_up";

    /// <summary>Every night.</summary>
    public static RecurringTask Nightly { get; } = new(Type, "23 3 * * *", new NewTask(MaintenanceQueue.Name, Type));

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken) =>
        new TaskOutcome.Done(new JsonObject { ["deleted"] = await log.DeleteOldAsync(TimeSpan.FromDays(30), cancellationToken) });
}
