using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Secrets;

/// <summary>Re-encrypts everything under the current key, in stretches: what is left stands in the rows, so whoever has the task next goes on.</summary>
internal sealed class KeyRotationHandler(
    KeyRing keys, QueueDatabase database, TaskProgress progress, IOptions<KeyRotationOptions> options, IOptions<WorkerOptions> worker, TimeProvider time) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "keys.rotate";

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        // Well within the time of one attempt, which would count as failed.
        using var stretch = new CancellationTokenSource(worker.Value.HandlerTimeout / 2, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stretch.Token, cancellationToken);
        KeyRotationProgress? last = null;
        var rotation = new KeyRotation(keys, options.Value, time);
        try
        {
            var running = rotation.RunAsync(database.System, new Latest(each => last = each), either.Token);
            using var tell = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
            while (!running.IsCompleted && await Task.WhenAny(running, tell.WaitForNextTickAsync(cancellationToken).AsTask()) != running)
            {
                if (last is { } now)
                    await progress.ReportAsync(now.Rotated, now.Total, now.Table, cancellationToken);
            }

            var result = await running;
            return new TaskOutcome.Done(new JsonObject
            {
                ["current_key"] = result.CurrentKeyId,
                ["rotated"] = result.Rotated,
                ["refused"] = new JsonArray([.. result.Refused.Take(100).Select(row => (JsonNode)row)]),
                ["removable_keys"] = new JsonArray([.. result.Removable.Select(key => (JsonNode)key)]),
            });
        }
        catch (OperationCanceledException) when (stretch.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new TaskOutcome.Snooze(TimeSpan.Zero);
        }
    }

    private sealed class Latest(Action<KeyRotationProgress> note) : IProgress<KeyRotationProgress>
    {
        public void Report(KeyRotationProgress value) => note(value);
    }
}
