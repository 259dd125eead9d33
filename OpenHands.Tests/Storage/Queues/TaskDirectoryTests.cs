using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Storage.Queues;

/// <summary>What operators see and do.</summary>
public sealed class TaskDirectoryTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private SystemQueues System => new(_queues.Database);

    [Fact]
    public async Task Queues_are_listed_with_depth_age_and_what_became_of_tasks()
    {
        var ids = await _queues.EnqueueAsync("q", 1, 2, 3);
        await _queues.Producer.EnqueueAsync([new NewTask("later", "test") { Delay = TimeSpan.FromHours(1) }], Cancelled);
        await _queues.Postgres.QueryAsync("UPDATE tasks SET run_at = now() - interval '90 s' WHERE payload::text = '3'");
        var worker = await _queues.EnterAsync("a");
        await worker.LeaseAsync("q", [.. ids.Take(2)], null, Cancelled);
        await worker.SettleAsync([new Settlement(ids[0], 1, QueuedTaskStatus.Done, TimeSpan.Zero, 0, false, null, null)], Cancelled);

        var (db, tasks) = System.Open();
        await using (db)
        {
            var queues = await tasks.QueuesAsync(Cancelled);
            Assert.Equal(["later", "q"], queues.Select(queue => queue.Queue));
            Assert.Equal((1, 0, 0), (queues[0].Scheduled, queues[0].Retrying, queues[0].Waiting));
            Assert.Equal((1, 1, 1, 1), (queues[1].Waiting, queues[1].Running, queues[1].Done, queues[1].FinishedLastMinute));
            Assert.InRange(queues[1].OldestAgeSeconds!.Value, 90, 200);
            var found = await tasks.FindAsync(ids[1], Cancelled);
            Assert.Equal(("2", "leased", "a"), (found!.Payload, found.Status, found.WorkerId));
            Assert.Equal([ids[2]], (await tasks.TasksAsync(new TaskFilter("q", QueuedTaskStatus.Waiting), null, 10, Cancelled)).Select(task => task.Id));
        }

        Assert.Equal(["a"], (await System.WorkersAsync(Cancelled)).Select(each => each.Id));
    }

    [Fact]
    public async Task A_task_that_waits_or_is_scheduled_is_cancelled_at_once()
    {
        var ids = await _queues.Producer.EnqueueAsync([new NewTask("q", "test"), new NewTask("q", "test") { Delay = TimeSpan.FromHours(1) }], Cancelled);
        var (db, tasks) = System.Open();
        await using (db)
        {
            foreach (var id in ids)
                Assert.Equal(TaskChange.Done, await tasks.CancelAsync(id, Cancelled));
            Assert.Equal(TaskChange.NotInThisState, await tasks.CancelAsync(ids[0], Cancelled));
            Assert.Equal(TaskChange.NotFound, await tasks.CancelAsync("none", Cancelled));
        }

        Assert.Equal(["cancelled", "cancelled"], await _queues.TasksAsync("status"));
    }

    [Fact]
    public async Task A_task_that_is_called_off_while_it_runs_is_told_wherever_it_runs()
    {
        var running = new TaskCompletionSource<string>();
        await using var worker = await WorkerHost.StartAsync(_queues, async (task, cancellationToken) =>
        {
            running.SetResult(task.Id);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return new TaskOutcome.Done();
        });
        await _queues.EnqueueAsync("q", 1);
        var (db, tasks) = System.Open();
        await using (db)
            Assert.Equal(TaskChange.Done, await tasks.CancelAsync(await running.Task.WaitAsync(Cancelled), Cancelled));

        await _queues.UntilDrainedAsync();
        Assert.Equal(["cancelled|It was called off while it ran."], await _queues.TasksAsync("status, reason"));
    }

    [Fact]
    public async Task A_dead_letter_that_is_replayed_runs_with_all_its_attempts_and_a_higher_lease_number()
    {
        var mends = false;
        await using var worker = await WorkerHost.StartAsync(
            _queues, (_, _) => mends ? Task.FromResult<TaskOutcome>(new TaskOutcome.Done()) : throw new InvalidOperationException(), "Worker:MaxAttempts=2", "Worker:RetryDelay=00:00:00.001");
        var id = Assert.Single(await _queues.EnqueueAsync("q", 1));
        await Eventually.TrueAsync("it is given up", async () => await _queues.TasksAsync("status") is ["dead"]);
        mends = true;
        var (db, tasks) = System.Open();
        await using (db)
        {
            Assert.Equal(TaskChange.Done, await tasks.ReplayAsync(id, Cancelled));
            await _queues.UntilDrainedAsync();
            Assert.Equal(TaskChange.NotInThisState, await tasks.ReplayAsync(id, Cancelled));
        }

        Assert.Equal(["done|0|3"], await _queues.TasksAsync("status, attempt, lease_number"));
    }

    [Fact]
    public async Task A_cancelled_task_can_be_replayed_and_dead_letters_of_a_queue_all_at_once()
    {
        var ids = await _queues.EnqueueAsync("q", 1, 2, 3, 4);
        await _queues.Postgres.QueryAsync($"UPDATE tasks SET status = CASE WHEN id = '{ids[0]}' THEN 'cancelled' ELSE 'dead' END, reason = 'x', finished_at = now()");
        var (db, tasks) = System.Open();
        await using (db)
        {
            Assert.Equal(TaskChange.Done, await tasks.ReplayAsync(ids[0], Cancelled));
            Assert.Equal(2, await tasks.ReplayAllAsync("q", 2, Cancelled));
            Assert.Equal(1, await tasks.PurgeAsync("q", QueuedTaskStatus.Dead, Cancelled));
            Assert.Equal(0, await tasks.PurgeAsync("q", QueuedTaskStatus.Leased, Cancelled));
        }

        Assert.Equal(["waiting", "waiting", "waiting"], await _queues.TasksAsync("status"));
    }

    [Fact]
    public async Task An_organizations_directory_shows_and_changes_that_organizations_tasks_alone_and_only_for_admins()
    {
        var (admin, member, other) = (await _queues.Postgres.SignInAsync(), await _queues.Postgres.SignInAsync(), await _queues.Postgres.SignInAsync());
        var (ours, theirs) = (await _queues.Postgres.DefaultOrganizationAsync(admin), await _queues.Postgres.DefaultOrganizationAsync(other));
        await _queues.Postgres.JoinAsync(ours, member);
        var ids = new List<string>();
        foreach (var (user, organization) in new[] { (admin, ours), (member, ours), (other, theirs) })
        {
            var (db, queue) = _queues.Tenant(user, organization);
            await using (db)
                ids.Add((await queue.EnqueueAsync("q", "test", null, Cancelled)).Id);
        }

        Assert.Equal([ids[1], ids[0]], await SeenAsync(admin, ours));
        Assert.Equal([ids[1]], await SeenAsync(member, ours)); // what is one's own
        Assert.Empty(await SeenAsync(admin, theirs));
        await using var context = _queues.Postgres.Open(admin, ours);
        var tasks = new TaskDirectory(context, ours);
        Assert.Equal(TaskChange.NotFound, await tasks.CancelAsync(ids[2], Cancelled));
        Assert.Equal(TaskChange.Done, await tasks.CancelAsync(ids[1], Cancelled));
        Assert.Equal(1, await tasks.PurgeAsync("q", QueuedTaskStatus.Waiting, Cancelled));
        Assert.Equal(2, Assert.Single(await tasks.QueuesAsync(Cancelled)).FinishedLastMinute + (await _queues.TasksAsync("id", $"organization_id = '{theirs}'")).Count);

        async Task<IEnumerable<string>> SeenAsync(string user, string organization)
        {
            await using var db = _queues.Postgres.Open(user, organization);
            return (await new TaskDirectory(db, organization).TasksAsync(new TaskFilter(), null, 10, Cancelled)).Select(task => task.Id);
        }
    }
}
