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

    private static readonly KeyValuePair<string, object?> System = new("messaging.system", "openhands");

    private readonly ActivitySource _spans = new(Name);
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _wait;
    private readonly Counter<long> _consumed;
    private readonly Counter<long> _rescued;
    private IReadOnlyList<QueueDepth> _depths = [];

    public WorkerMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _consumed = meter.CreateCounter<long>("messaging.client.consumed.messages", "{message}", "Tasks leased from a queue.");
        _duration = meter.CreateHistogram<double>("messaging.process.duration", "s", "Time from leasing a task until its outcome is recorded.");
        _wait = meter.CreateHistogram<double>("openhands.queue.wait", "s", "Time from when a task was due until it was leased.");
        _rescued = meter.CreateCounter<long>("openhands.worker.tasks.rescued", "{task}", "Tasks taken over from workers that went away.");
        meter.CreateObservableGauge(
            "openhands.queue.depth", () => _depths.Select(depth => new Measurement<long>(depth.Waiting, Destination(depth.Queue))), "{message}", "Tasks that are due and not leased.");
        meter.CreateObservableGauge(
            "openhands.queue.oldest_age", () => _depths.Select(depth => new Measurement<double>(depth.OldestAge.TotalSeconds, Destination(depth.Queue))), "s", "How long the oldest of them has been due.");
    }

    /// <summary>What the gauges say; by the sweeper alone, so that the sum over all workers is right.</summary>
    public void Measure(IReadOnlyList<QueueDepth> depths) => _depths = depths;

    /// <summary>Starts the span of a task, in the trace of whoever enqueued it; null when nobody listens.</summary>
    public Activity? Start(LeasedTask leased)
    {
        var task = leased.Task;
        _consumed.Add(1, System, Destination(task.Queue), new("messaging.operation.name", "lease"));
        _wait.Record(leased.Waited.TotalSeconds, Destination(task.Queue));
        ActivityContext.TryParse(leased.TraceParent, null, isRemote: true, out var producer);
        var span = _spans.StartActivity($"process {task.Queue}", ActivityKind.Consumer, producer);
        span?.SetTag(System.Key, System.Value)
            .SetTag("messaging.operation.type", "process")
            .SetTag("messaging.operation.name", "process")
            .SetTag("messaging.destination.name", task.Queue)
            .SetTag("messaging.message.id", task.Id)
            .SetTag("openhands.task.attempt", task.Attempt)
            .SetTag("openhands.task.lease_number", task.LeaseNumber);
        return span;
    }

    /// <summary>Counts what became of a task and ends its span.</summary>
    /// <param name="span">What <see cref="Start"/> returned.</param>
    /// <param name="leased">The task.</param>
    /// <param name="type">Its type when there is a handler for it, else null: types are not ours to bound.</param>
    /// <param name="fate">What became of it.</param>
    /// <param name="elapsed">Time since it was leased.</param>
    public void End(Activity? span, LeasedTask leased, string? type, TaskFate fate, TimeSpan elapsed)
    {
        var tags = new TagList
        {
            System,
            Destination(leased.Task.Queue),
            { "messaging.operation.name", "process" },
            { "openhands.task.type", type ?? "_OTHER" },
            { "openhands.task.outcome", fate.Word },
        };
        // A look that came too early is not exported as a trace of its own; it may come every second.
        if (fate is TaskFate.Snoozed && span is { ParentId: null })
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        span?.SetTag("openhands.task.type", type).SetTag("openhands.task.outcome", fate.Word);
        if (fate.IsFailure)
        {
            tags.Add("error.type", fate.Word);
            span?.SetTag("error.type", fate.Word).SetStatus(ActivityStatusCode.Error);
        }

        _duration.Record(elapsed.TotalSeconds, tags);
    }

    /// <summary>Counts tasks taken over from workers that went away.</summary>
    public void Rescue(string queue, int count) => _rescued.Add(count, Destination(queue));

    /// <inheritdoc />
    public void Dispose() => _spans.Dispose();

    private static KeyValuePair<string, object?> Destination(string queue) => new("messaging.destination.name", queue);
}
