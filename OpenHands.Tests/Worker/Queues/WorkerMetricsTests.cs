using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>What a worker tells OpenTelemetry, under the names, units and attributes of its conventions for messaging.</summary>
public sealed class WorkerMetricsTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Instrument, double Value, string Tags)> _measured = new();
    private readonly ConcurrentDictionary<string, string?> _units = new();
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_are_counted_and_timed_by_queue_type_and_outcome()
    {
        await using var worker = await StartAsync();
        using var listener = Listen(worker);
        await _queues.EnqueueAsync("q", 1, 1, 0);
        await Eventually.TrueAsync("all three are told", () => Of("messaging.process.duration").Count == 3);

        const string Queue = "messaging.destination.name=q";
        Assert.Equal(3, Of("messaging.client.consumed.messages").Sum(each => each.Value));
        Assert.Equal([$"{Queue},messaging.operation.name=lease,messaging.system=openhands"], Of("messaging.client.consumed.messages").Select(each => each.Tags).Distinct());
        Assert.Equal([Queue], Of("openhands.queue.wait").Select(each => each.Tags).Distinct());
        var process = $"{Queue},messaging.operation.name=process,messaging.system=openhands";
        Assert.Equal(
            [
                $"error.type=given_up,{process},openhands.task.outcome=given_up,openhands.task.type=test",
                $"{process},openhands.task.outcome=done,openhands.task.type=test", $"{process},openhands.task.outcome=done,openhands.task.type=test",
            ],
            Of("messaging.process.duration").Select(each => each.Tags).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["messaging.client.consumed.messages {message}", "messaging.process.duration s", "openhands.queue.depth {message}", "openhands.queue.oldest_age s", "openhands.queue.wait s", "openhands.worker.tasks.rescued {task}"],
            _units.Select(unit => $"{unit.Key} {unit.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Depth_and_oldest_age_of_a_queue_are_told_while_it_is_paused()
    {
        await new QueueRules(_queues.Database).SetAsync(new QueueRule("held", IsPaused: true, null, null), Cancelled);
        await _queues.EnqueueAsync("held", 1, 2, 3);
        await _queues.Postgres.QueryAsync("UPDATE tasks SET run_at = now() - interval '1 h' WHERE queue = 'held' AND payload::text = '2'");
        await using var worker = await StartAsync();
        using var listener = Listen(worker);

        await Eventually.TrueAsync("they are told", () =>
        {
            _measured.Clear();
            listener.RecordObservableInstruments();
            return Of("openhands.queue.depth").Any(each => each is { Value: 3, Tags: "messaging.destination.name=held" });
        });
        var age = Assert.Single(Of("openhands.queue.oldest_age"), each => each.Tags == "messaging.destination.name=held");
        Assert.InRange(age.Value, 3600, 7200);
    }

    [Fact]
    public async Task Tasks_taken_over_from_a_worker_that_is_gone_are_counted()
    {
        var ids = await _queues.EnqueueAsync("q", 1, 1);
        await (await _queues.EnterAsync("gone")).LeaseAsync("q", ids, null, Cancelled);
        await using var worker = await StartAsync();
        using var listener = Listen(worker);

        await Eventually.TrueAsync("they are told", () => Of("openhands.worker.tasks.rescued").Any());
        Assert.Equal(("openhands.worker.tasks.rescued", 2, "messaging.destination.name=q"), Assert.Single(Of("openhands.worker.tasks.rescued")));
    }

    private Task<WorkerHost> StartAsync() => WorkerHost.StartAsync(
        _queues,
        (task, _) => task.Payload.GetInt32() == 0 ? throw new InvalidOperationException("told to") : Task.FromResult<TaskOutcome>(new TaskOutcome.Done()),
        "Worker:MaxAttempts=1", "Worker:Queues=q,held");

    // To this worker alone: others run beside it in this process.
    private MeterListener Listen(WorkerHost worker)
    {
        var factory = worker.Services.GetRequiredService<IMeterFactory>();
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name != WorkerMetrics.Name || !ReferenceEquals(instrument.Meter.Scope, factory))
                    return;
                _units[instrument.Name] = instrument.Unit;
                listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        return listener;
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => _measured.Enqueue(
        (instrument.Name, value, string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal))));

    private IReadOnlyList<(string Instrument, double Value, string Tags)> Of(string instrument) => [.. _measured.Where(each => each.Instrument == instrument)];
}
