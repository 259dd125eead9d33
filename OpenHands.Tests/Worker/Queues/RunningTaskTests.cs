using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>A task that runs on one worker, seen and called off through another.</summary>
public sealed class RunningTaskTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private readonly TaskCompletionSource<TaskProgress> _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_is_called_off_through_another_worker_than_the_one_that_runs_it()
    {
        await using var worker = await RunAsync();
        await using var other = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none"]);
        using var client = Client(other);
        var id = Assert.Single(await _queues.EnqueueAsync("q", 1));
        await _running.Task.WaitAsync(Cancelled);

        using var answer = await client.PostAsync($"/api/v1/tasks/{id}/cancel", null, Cancelled);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        await _stopped.Task.WaitAsync(Cancelled);
        await Eventually.TrueAsync("it is cancelled", async () => await _queues.TasksAsync("status, reason", "queue = 'q'") is ["cancelled|It was called off while it ran."]);
    }

    [Fact]
    public async Task A_running_task_is_told_with_the_heartbeat_when_the_notice_got_lost()
    {
        await using var worker = await RunAsync();
        await _queues.EnqueueAsync("q", 1);
        await _running.Task.WaitAsync(Cancelled);

        await _queues.Postgres.QueryAsync("UPDATE tasks SET cancel_requested = true WHERE queue = 'q'");
        await _stopped.Task.WaitAsync(Cancelled);
        await Eventually.TrueAsync("it is cancelled", async () => await _queues.TasksAsync("status", "queue = 'q'") is ["cancelled"]);
    }

    [Fact]
    public async Task Progress_is_seen_while_a_task_runs_and_its_result_afterwards()
    {
        await using var worker = await RunAsync();
        await using var other = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none"]);
        using var client = Client(other);
        var id = Assert.Single(await _queues.EnqueueAsync("q", 1));
        var progress = await _running.Task.WaitAsync(Cancelled);

        await progress.ReportAsync(3, 10, "three of ten", Cancelled);
        var running = await client.GetFromJsonAsync<JsonNode>($"/api/v1/tasks/{id}", Cancelled);
        Assert.Equal(("leased", """{"done":3,"total":10,"note":"three of ten"}"""), ((string)running!["status"]!, (string)running["progress"]!));
        await progress.ReportAsync(10, null, null, Cancelled);
        _finish.SetResult();
        await Eventually.TrueAsync("it is done", async () => await _queues.TasksAsync("status", "queue = 'q'") is ["done"]);
        var done = await client.GetFromJsonAsync<JsonNode>($"/api/v1/tasks/{id}", Cancelled);
        Assert.Equal(("""{"done":10,"total":null,"note":null}""", """{"answer":42}"""), ((string)done!["progress"]!, (string)done["result"]!));
    }

    [Fact]
    public async Task Whoever_lost_the_lease_reports_no_progress_and_is_told_to_stop()
    {
        await using var worker = await RunAsync();
        await _queues.EnqueueAsync("q", 1);
        var progress = await _running.Task.WaitAsync(Cancelled);

        await _queues.RescueAsync(worker.Id);
        await Assert.ThrowsAsync<OperationCanceledException>(() => progress.ReportAsync(1, null, null, Cancelled));
        _finish.SetResult();
    }

    private Task<WorkerHost> RunAsync() => WorkerHost.StartAsync(
        _queues,
        services =>
        {
            services.AddSingleton(this);
            services.AddKeyedScoped<ITaskHandler, Reporting>("test");
            services.AddSingleton(new TaskHandlers.Entry("test"));
        },
        "Worker:Queues=q", "Worker:Lease=00:00:02");

    private static HttpClient Client(WorkerHost worker)
    {
        var client = new HttpClient { BaseAddress = worker.Address };
        client.DefaultRequestHeaders.Add("X-OpenHands-Operator", "1");
        return client;
    }

    private sealed class Reporting(RunningTaskTests test, TaskProgress progress) : ITaskHandler
    {
        public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
        {
            try
            {
                test._running.TrySetResult(progress);
                await test._finish.Task.WaitAsync(cancellationToken);
                return new TaskOutcome.Done(new JsonObject { ["answer"] = 42 });
            }
            finally
            {
                if (cancellationToken.IsCancellationRequested)
                    test._stopped.TrySetResult();
            }
        }
    }
}
