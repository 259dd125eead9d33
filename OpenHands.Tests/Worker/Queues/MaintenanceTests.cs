using System.Diagnostics;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>The platform's own tasks, and what every task carries through the worker.</summary>
public sealed class MaintenanceTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Expired_sessions_are_deleted_and_no_others()
    {
        var user = await _queues.Postgres.SignInAsync();
        await _queues.Postgres.QueryAsync(
            $$"""
            INSERT INTO sessions (id, user_id, state, version, created_at, updated_at, last_accessed_at, expires_at)
            SELECT 's' || i, '{{user}}', '{}', 1, now(), now(), now(), CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN now() + interval '1 h' ELSE now() - interval '1 s' END
            FROM generate_series(1, 6) i
            """);
        await using var worker = await WorkerHost.StartAsync(_queues);
        await _queues.Producer.EnqueueAsync([new NewTask("maintenance", "sessions.clean_up")], Cancelled);

        await _queues.UntilDrainedAsync();
        Assert.Equal(["{\"deleted\":2}"], await _queues.TasksAsync("result", "type = 'sessions.clean_up'"));
        Assert.Equal(["s1", "s3", "s4", "s6"], await _queues.Postgres.QueryAsync("SELECT id FROM sessions ORDER BY id"));
    }

    [Fact]
    public async Task A_task_runs_in_the_trace_of_whoever_enqueued_it()
    {
        using var source = new ActivitySource("request of the test");
        using var listener = new ActivityListener { ShouldListenTo = _ => true, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded };
        ActivitySource.AddActivityListener(listener);
        var trace = new TaskCompletionSource<(ActivityTraceId, ActivitySpanId)>();
        await using var worker = await WorkerHost.StartAsync(_queues, (_, _) =>
        {
            trace.SetResult((Activity.Current!.TraceId, Activity.Current.ParentSpanId));
            return Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
        });
        Activity request;
        using (request = source.StartActivity("POST /somewhere")!)
            await _queues.EnqueueAsync("q", 1);

        Assert.Equal((request.TraceId, request.SpanId), await trace.Task.WaitAsync(Cancelled));
        await _queues.UntilDrainedAsync();
    }

    [Fact]
    public async Task A_handler_works_as_the_tenant_of_its_task()
    {
        var user = await _queues.Postgres.SignInAsync();
        var organization = await _queues.Postgres.DefaultOrganizationAsync(user);
        var got = new TaskCompletionSource<QueuedTask>();
        await using var worker = await WorkerHost.StartAsync(_queues, (task, _) =>
        {
            got.SetResult(task);
            return Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
        });
        var (db, queue) = _queues.Tenant(user, organization);
        await using (db)
            await queue.EnqueueAsync("q", "test", null, Cancelled);

        var task = await got.Task.WaitAsync(Cancelled);
        Assert.Equal((user, organization), (task.UserId, task.OrganizationId));
    }
}
