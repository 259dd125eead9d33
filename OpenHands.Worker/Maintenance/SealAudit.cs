using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Queues;
using OpenHands.Worker.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Maintenance;

/// <summary>
/// Seals the audit log about every second: one task for every minute, which snoozes in between and makes room for the next when its minute
/// is over. Two of them at once, for a moment or of a worker that was taken for gone, collide at the number of the link without harm.
/// </summary>
internal sealed class SealAudit(MaintenanceDatabase database, AuditSealer sealer, TaskProgress progress) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "audit.seal";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(800); // and the time until it is its turn
    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(1);

    /// <summary>Every minute, from the first moment on.</summary>
    public static RecurringTask EveryMinute { get; } =
        new(Type, "* * * * *", new NewTask(MaintenanceQueue.Name, Type) { Priority = 100, Retention = TimeSpan.FromMinutes(10) }) { IsDueAtFirst = true };

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // every second: nothing to trace
        await using var system = await database.Source.OpenConnectionAsync(cancellationToken);
        var (newest, events) = await TrySealAsync(system, cancellationToken);
        if (newest is not null)
            await progress.ReportAsync(events, events, $"Sealed up to {newest.Number}.", cancellationToken);
        return await AgeAsync(system, task.Id, cancellationToken) < Turn
            ? new TaskOutcome.Snooze(Pause)
            : new TaskOutcome.Done(newest is null ? null : new JsonObject { ["sealed_up_to"] = newest.Number });
    }

    private async Task<(AuditSeal? Newest, int Events)> TrySealAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        try
        {
            return await sealer.SealAsync(system, cancellationToken);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return (null, 0); // another has made this link
        }
    }

    // By PostgreSQL's clock, which stamped it.
    private static async Task<TimeSpan> AgeAsync(NpgsqlConnection system, string task, CancellationToken cancellationToken)
    {
        await using var age = new NpgsqlCommand("SELECT clock_timestamp() - created_at FROM tasks WHERE id = $1", system);
        age.Parameters.Add(new NpgsqlParameter<string> { TypedValue = task });
        return await age.ExecuteScalarAsync(cancellationToken) is TimeSpan known ? known : Turn;
    }
}
