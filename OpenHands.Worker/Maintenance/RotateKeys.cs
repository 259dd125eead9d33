using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Maintenance;

/// <summary>
/// Does a rotation that an operator asked for, on a worker whose current key is its target. A few seconds at a time, since others wait for the
/// slot and an attempt has a time limit; what is left stands in the rows themselves, so whoever has the task next goes on, also when a
/// worker was killed.
/// </summary>
internal sealed partial class RotateKeys(
    MaintenanceDatabase database, KeyRing keys, TenantKeys tenants, TaskProgress progress, TimeProvider time, ILogger<RotateKeys> logger) : ITaskHandler
{
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly KeyRotationRuns _runs = new(database.Source, time);

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        if (await _runs.FindAsync(task.Id, cancellationToken) is not { } run)
            return new TaskOutcome.Cancel("There is no such rotation.");
        if (run.Result is { } past)
            return Done(past);
        if (run.TargetKeyId != keys.KeyIds[0])
            return new TaskOutcome.Snooze(Pause); // for a worker with that key

        using var slice = new CancellationTokenSource(Slice, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, slice.Token);
        try
        {
            return Done(await RotateAsync(run, either));
        }
        catch (Exception failure) when (slice.IsCancellationRequested && !cancellationToken.IsCancellationRequested && failure is OperationCanceledException)
        {
            return new TaskOutcome.Snooze(TimeSpan.Zero);
        }
        catch (Exception failure) when (PostgresAbsence.Explains(failure))
        {
            LogAway(run.Id, failure.Message);
            return new TaskOutcome.Snooze(Pause);
        }
    }

    private async Task<KeyRotationResult> RotateAsync(KeyRotationRun run, CancellationTokenSource stop)
    {
        var rotation = new KeyRotation(keys, new KeyRotationOptions { RowsPerSecond = run.RowsPerSecond }, time, tenants);
        var left = await rotation.RemainingAsync(database.Source, stop.Token);
        await _runs.StartAsync(run.Id, left, stop.Token);
        if (run.StartedAt is null)
            LogStarted(run.Id, left);
        // What was done before counts, too.
        var total = run.StartedAt is null ? left : run.Total;
        var before = Math.Max(0, total - left);
        var reports = new RotationReports(_runs, progress, run.Id, before, Math.Max(total, left), stop, time);
        await reports.BeginAsync();
        var result = await rotation.RunAsync(database.Source, reports, stop.Token);
        await reports.LastReport;
        result = result with { Rotated = before + result.Rotated };
        await reports.EndAsync(result.Rotated);
        await _runs.FinishAsync(run.Id, result, stop.Token);
        LogDone(run.Id, result.Rotated, result.Refused.Count);
        return result;
    }

    private static TaskOutcome.Done Done(KeyRotationResult result) =>
        new(new JsonObject { ["rotated"] = result.Rotated, ["refused"] = result.Refused.Count, ["removable"] = new JsonArray([.. result.Removable.Select(id => JsonValue.Create(id))]) });

    [LoggerMessage(LogLevel.Information, "Rotation {Run}: {Left} rows are to come under the current key")]
    private partial void LogStarted(string run, long left);

    [LoggerMessage(LogLevel.Information, "Rotation {Run} is done: {Rotated} rows re-encrypted, {Refused} could not be read")]
    private partial void LogDone(string run, long rotated, int refused);

    [LoggerMessage(LogLevel.Warning, "Rotation {Run} cannot go on now and is tried again: {Reason}")]
    private partial void LogAway(string run, string reason);
}
