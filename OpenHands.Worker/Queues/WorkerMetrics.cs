using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>What the worker tells OpenTelemetry, after the conventions for messaging.</summary>
/// <remarks>https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/</remarks>
internal sealed class WorkerMetrics : IDisposable
{
    /// <summary>Name of the meter and of the source of spans.</summary>
    public const string Name = "OpenHands.Worker";

    private readonly ActivitySource _spans = new(Name);
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _consumed;
    private readonly Counter<long> _rescued;

    public WorkerMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _consumed = meter.CreateCounter<long>("messaging.client.consumed.messages", "{message}", "Tasks taken from a queue.");
        _duration = meter.CreateHistogram<double>("messaging.process.duration", "s", "Time from taking a task until its outcome is recorded.");
        _rescued = meter.CreateCounter<long>("openhands.worker.tasks.rescued", "{task}", "Tasks taken over from workers that went away.");
    }

    /// <summary>Starts the span of a task; null when nobody listens.</summary>
    public Activity? Take(TakenTask task)
    {
        _consumed.Add(1, Destination(task.Queue));
        var span = _spans.StartActivity($"process {task.Queue}", ActivityKind.Consumer);
        span?.SetTag("messaging.system", "redis")
            .SetTag("messaging.operation.type", "process")
            .SetTag("messaging.destination.name", task.Queue)
            .SetTag("messaging.message.id", task.Delivery);
        return span;
    }

    /// <summary>Counts what became of a task and ends its span.</summary>
    /// <param name="span">What <see cref="Take"/> returned.</param>
    /// <param name="task">The task.</param>
    /// <param name="type">Its type when there is a handler for it, else null: types are not ours to bound.</param>
    /// <param name="fate">What became of it.</param>
    /// <param name="elapsed">Time since it was taken.</param>
    public void Settle(Activity? span, TakenTask task, string? type, TaskFate fate, TimeSpan elapsed)
    {
        _duration.Record(
            elapsed.TotalSeconds, Destination(task.Queue), new("openhands.task.type", type ?? "_OTHER"), new("openhands.task.outcome", fate.Word));
        span?.SetTag("openhands.task.type", type).SetTag("openhands.task.outcome", fate.Word);
        if (fate.IsFailure)
            span?.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>Counts tasks taken over from workers that went away.</summary>
    public void Rescue(string queue, int count) => _rescued.Add(count, Destination(queue));

    /// <inheritdoc />
    public void Dispose() => _spans.Dispose();

    private static KeyValuePair<string, object?> Destination(string queue) => new("messaging.destination.name", queue);
}
