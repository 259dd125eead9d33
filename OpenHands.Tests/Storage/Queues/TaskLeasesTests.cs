using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Queues;

/// <summary>Leases and their numbers: whatever happens, a stale one settles nothing.</summary>
public sealed class TaskLeasesTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_is_leased_once_however_many_ask()
    {
        var ids = await _queues.EnqueueAsync("q", [.. Enumerable.Range(0, 100)]);
        TaskLeases[] workers = [await _queues.EnterAsync("a"), await _queues.EnterAsync("b"), await _queues.EnterAsync("c")];
        var leased = await Task.WhenAll(workers.Select(worker => worker.LeaseAsync("q", ids, null, Cancelled)));

        Assert.Equal(ids.Order(), leased.SelectMany(tasks => tasks.Select(task => task.Task.Id)).Order());
        Assert.All(leased.SelectMany(tasks => tasks), task => Assert.Equal(1, task.Task.LeaseNumber));
    }

    [Fact]
    public async Task A_worker_that_is_not_entered_leases_nothing()
    {
        var ids = await _queues.EnqueueAsync("q", 1);
        Assert.Empty(await new TaskLeases(_queues.Database, "stranger").LeaseAsync("q", ids, null, Cancelled));
    }

    [Fact]
    public async Task A_stale_lease_number_settles_nothing()
    {
        var id = Assert.Single(await _queues.EnqueueAsync("q", 1));
        var stale = await _queues.EnterAsync("stale");
        var old = Assert.Single(await stale.LeaseAsync("q", [id], null, Cancelled)).Task.LeaseNumber;
        await _queues.RescueAsync("stale");
        var fresh = await _queues.EnterAsync("fresh");
        var current = Assert.Single(await fresh.LeaseAsync("q", [id], null, Cancelled)).Task.LeaseNumber;
        stale = await _queues.EnterAsync("stale");

        Assert.True(current > old);
        foreach (var status in new[] { QueuedTaskStatus.Done, QueuedTaskStatus.Cancelled, QueuedTaskStatus.Dead, QueuedTaskStatus.Scheduled, QueuedTaskStatus.Waiting })
        {
            Assert.Empty(await stale.SettleAsync([Settle(id, old, status)], Cancelled));
            Assert.Empty(await stale.SettleAsync([Settle(id, current, status)], Cancelled)); // a lucky guess is no lease either
            Assert.Empty(await fresh.SettleAsync([Settle(id, old, status)], Cancelled));
        }

        Assert.Equal(["leased|1"], await _queues.TasksAsync("status, lost"));
        Assert.Equal([id], await fresh.SettleAsync([Settle(id, current, QueuedTaskStatus.Done)], Cancelled));
        Assert.Empty(await fresh.SettleAsync([Settle(id, current, QueuedTaskStatus.Done)], Cancelled));
    }

    [Fact]
    public async Task What_was_planned_for_a_few_tasks_reads_no_more_when_there_are_many()
    {
        var worker = await _queues.EnterAsync("w");
        for (var i = 0; i < 20; i++) // until PostgreSQL keeps a plan
            await LeaseAndSettleAsync();
        await _queues.EnqueueAsync("q", [.. Enumerable.Range(0, 3000)]); // too soon for anybody to have counted them
        for (var i = 0; i < 20; i++)
            await LeaseAndSettleAsync();
        _queues.Database.System.Clear(); // a session tells what it read at the latest when it ends

        Assert.InRange((await OtherTenants.ReadsAsync(_queues.Postgres))["tasks"].InOrder, 0, 2999);

        async Task LeaseAndSettleAsync()
        {
            var leased = await worker.LeaseAsync("q", await _queues.EnqueueAsync("q", 1), null, Cancelled);
            await worker.SettleAsync([.. leased.Select(task => Settle(task.Task.Id, task.Task.LeaseNumber, QueuedTaskStatus.Done))], Cancelled);
        }
    }

    [Fact]
    public async Task A_task_without_retention_is_deleted_when_it_is_done()
    {
        var ids = await _queues.Producer.EnqueueAsync([new NewTask("q", "test") { Retention = TimeSpan.Zero }, new NewTask("q", "test")], Cancelled);
        var worker = await _queues.EnterAsync("a");
        await worker.LeaseAsync("q", ids, null, Cancelled);
        Assert.Equal(2, (await worker.SettleAsync([.. ids.Select(id => Settle(id, 1, QueuedTaskStatus.Done))], Cancelled)).Count);

        Assert.Equal([$"{ids[1]}|done|True"], await _queues.TasksAsync("id, status, expires_at > now() + interval '23 h'"));
    }

    [Fact]
    public async Task Expired_tasks_are_deleted()
    {
        await _queues.EnqueueAsync("q", 1, 2);
        await _queues.Postgres.QueryAsync("UPDATE tasks SET status = 'done', expires_at = now() + (payload::text::int - 2) * interval '1 s' + interval '500 ms'");
        await new QueueUpkeep(_queues.Database).DeleteExpiredAsync(Cancelled);

        Assert.Equal(["2"], await _queues.TasksAsync("payload"));
    }

    [Fact]
    public async Task No_more_run_than_the_queue_and_each_tenant_may_have()
    {
        string[] tenants = ["a", "a", "a", "a", "b", "b", "c"];
        var ids = await _queues.Producer.EnqueueAsync([.. tenants.Select(tenant => new NewTask("q", "test") { FairnessKey = tenant })], Cancelled);
        var rule = new QueueRule("q", IsPaused: false, MaxRunning: 4, MaxRunningPerTenant: 2);
        TaskLeases[] workers = [await _queues.EnterAsync("1"), await _queues.EnterAsync("2"), await _queues.EnterAsync("3")];
        await Task.WhenAll(workers.Select(worker => worker.LeaseAsync("q", ids, rule, Cancelled)));

        var running = await _queues.Waiting.RunningAsync("q", Cancelled);
        Assert.Equal(4, running.Values.Sum());
        Assert.All(running.Values, tasks => Assert.InRange(tasks, 1, 2));
    }

    [Fact]
    public async Task A_worker_whose_heart_beats_is_not_silent_and_one_whose_lock_is_free_is_seen()
    {
        await _queues.EnterAsync("a");
        Assert.Equal([new SeenWorker("a", false, true)], await _queues.Registry.LookAsync(TimeSpan.FromMilliseconds(1000), Cancelled));
        await _queues.Postgres.QueryAsync("UPDATE workers SET last_seen_at = now() - interval '0.95 s'"); // so that its tasks run elsewhere within a lease
        Assert.Equal([new SeenWorker("a", true, true)], await _queues.Registry.LookAsync(TimeSpan.FromMilliseconds(1000), Cancelled));
        Assert.Empty(await _queues.Registry.LookAsync(TimeSpan.FromDays(1), Cancelled)); // PostgreSQL has not been up for that long
        Assert.True(await _queues.Registry.BeatAsync("a", 0, Cancelled));
        Assert.False(await _queues.Registry.BeatAsync("b", 0, Cancelled));
    }

    private static Settlement Settle(string id, long lease, string status) => new(id, lease, status, TimeSpan.Zero, 0, false, null, null);
}
