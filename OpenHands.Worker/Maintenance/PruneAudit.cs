using System.Text.Json.Nodes;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Queues;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Maintenance;

/// <summary>Deletes the audit events that organizations no longer keep, and says in the log how far the chain goes.</summary>
internal sealed partial class PruneAudit(MaintenanceDatabase database, AuditSealer sealer, ILogger<PruneAudit> logger) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "audit.prune";

    /// <summary>Every hour, when others do not, and once at first.</summary>
    public static RecurringTask Hourly { get; } = new(Type, "47 * * * *", new NewTask(MaintenanceQueue.Name, Type)) { IsDueAtFirst = true };

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        await using var system = await database.Source.OpenConnectionAsync(cancellationToken);
        // Only sealed events are deleted.
        var (newest, _) = await sealer.SealAsync(system, cancellationToken);
        var deleted = await sealer.PruneAsync(system, cancellationToken);
        if (deleted > 0)
            LogPruned(deleted);
        newest ??= await AuditSealer.NewestAsync(system, cancellationToken);
        if (newest is not null)
            LogHead(newest.Number, Convert.ToHexStringLower(newest.Hash));
        return new TaskOutcome.Done(new JsonObject { ["deleted"] = deleted });
    }

    [LoggerMessage(LogLevel.Information, "Deleted {Count} audit events that their organizations no longer keep")]
    private partial void LogPruned(int count);

    // Kept outside the database by whoever keeps logs: it shows later whether the end of the chain was cut off.
    [LoggerMessage(LogLevel.Information, "The audit log is sealed up to {Number}:{Hash}")]
    private partial void LogHead(long number, string hash);
}
