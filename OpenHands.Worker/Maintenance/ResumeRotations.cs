using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Maintenance;

/// <summary>Gives every open rotation a task that has none: it was asked for by an older version, or its task was purged.</summary>
internal sealed class ResumeRotations(MaintenanceDatabase database, TimeProvider time) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "keys.resume";

    /// <summary>Every hour, when others do not, and once at first.</summary>
    public static RecurringTask Hourly { get; } = new(Type, "29 * * * *", new NewTask(MaintenanceQueue.Name, Type)) { IsDueAtFirst = true };

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken) =>
        new TaskOutcome.Done(new JsonObject { ["resumed"] = await new KeyRotationRuns(database.Source, time).ResumeAsync(cancellationToken) });
}
