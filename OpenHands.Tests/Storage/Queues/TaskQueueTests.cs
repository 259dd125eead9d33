using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Queues;

/// <summary>Enqueuing as API and handlers do it, in the caller's transaction and for the caller's tenant.</summary>
public sealed class TaskQueueTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test
    private string _user = "";

    public async ValueTask InitializeAsync()
    {
        _queues = await TestQueues.CreateAsync(server, redis);
        _user = await _queues.Postgres.SignInAsync();
    }

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_committed_task_is_there_and_announced_and_before_the_commit_it_is_not()
    {
        var (db, queue) = _queues.Tenant(_user);
        await using (db)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Cancelled);
            var task = await queue.EnqueueAsync("q", "mail", new JsonObject { ["to"] = "a" }, Cancelled);
            Assert.Equal((true, QueuedTaskStatus.Waiting), (task.IsNew, task.Status));
            Assert.Empty(await _queues.TasksAsync("id"));
            Assert.Empty(await _queues.Redis.AllKeysAsync());

            await transaction.CommitAsync(Cancelled);
            Assert.Equal([$"{task.Id}|mail|{{\"to\":\"a\"}}|waiting|{_user}|{_user}"], await _queues.TasksAsync("id, type, payload, status, user_id, fairness_key"));
            Assert.Equal([task.Id], await _queues.Redis.ListAsync(RedisKeys.Queue("q")));
        }
    }

    [Fact]
    public async Task A_rollback_leaves_nothing_and_announces_nothing_later()
    {
        var (db, queue) = _queues.Tenant(_user);
        await using (db)
        {
            await using (var transaction = await db.Database.BeginTransactionAsync(Cancelled))
            {
                await queue.EnqueueAsync("rolled", "mail", null, Cancelled);
                await transaction.RollbackAsync(Cancelled);
            }

            await using (await db.Database.BeginTransactionAsync(Cancelled))
                await queue.EnqueueAsync("abandoned", "mail", null, Cancelled);
            await queue.EnqueueAsync("kept", "mail", null, Cancelled);
        }

        Assert.Equal(["kept"], await _queues.TasksAsync("queue"));
        Assert.Equal(["queue:kept"], await _queues.Redis.AllKeysAsync());
    }

    [Fact]
    public async Task An_idempotency_key_makes_one_task_and_answers_with_its_result()
    {
        var (db, queue) = _queues.Tenant(_user);
        await using (db)
        {
            var first = await queue.EnqueueAsync(new NewTask("q", "mail") { IdempotencyKey = "k" }, Cancelled);
            var waiting = await queue.EnqueueAsync(new NewTask("q", "mail") { IdempotencyKey = "k" }, Cancelled);
            Assert.Equal((first.Id, false, QueuedTaskStatus.Waiting, null), (waiting.Id, waiting.IsNew, waiting.Status, waiting.Result));

            var leases = await _queues.EnterAsync("worker");
            var leased = Assert.Single(await leases.LeaseAsync("q", [first.Id], null, Cancelled));
            await leases.SettleAsync([new Settlement(first.Id, leased.Task.LeaseNumber, QueuedTaskStatus.Done, TimeSpan.Zero, 0, false, """{"sent": true}""", null)], Cancelled);

            var done = await queue.EnqueueAsync([new NewTask("q", "mail") { IdempotencyKey = "k" }, new NewTask("q", "mail") { IdempotencyKey = "l" }], Cancelled);
            Assert.Equal(new EnqueuedTask(first.Id, false, QueuedTaskStatus.Done, """{"sent": true}"""), done[0]);
            Assert.True(done[1].IsNew);
        }

        Assert.Equal(2, (await _queues.TasksAsync("id")).Count);
    }

    [Fact]
    public async Task Racing_for_one_idempotency_key_makes_one_task()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var (db, queue) = _queues.Tenant(_user);
            await using (db)
                return (await queue.EnqueueAsync(new NewTask("q", "mail") { IdempotencyKey = "k" }, Cancelled)).Id;
        }));

        Assert.Equal([ids[0]], await _queues.TasksAsync("id"));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Equal_keys_of_two_tenants_are_two_tasks_and_neither_sees_the_others()
    {
        var other = await _queues.Postgres.SignInAsync();
        foreach (var user in new[] { _user, other })
        {
            var (db, queue) = _queues.Tenant(user);
            await using (db)
            {
                Assert.True((await queue.EnqueueAsync(new NewTask("q", "mail") { IdempotencyKey = "k" }, Cancelled)).IsNew);
                await using var connection = new NpgsqlConnection(_queues.Postgres.App);
                await connection.OpenAsync(Cancelled);
                await using var seen = new NpgsqlCommand($"SELECT set_config('app.user_id', '{user}', false); SELECT count(*) FROM tasks", connection);
                await using var rows = await seen.ExecuteReaderAsync(Cancelled);
                await rows.NextResultAsync(Cancelled);
                await rows.ReadAsync(Cancelled);
                Assert.Equal(1, rows.GetInt64(0));
            }
        }
    }

    [Fact]
    public async Task Ten_thousand_tasks_are_one_statement_and_the_list_takes_no_more_than_its_window()
    {
        var organization = await _queues.Postgres.DefaultOrganizationAsync(_user);
        var (db, queue) = _queues.Tenant(_user, organization);
        await using (db)
            Assert.Equal(10_000, (await queue.EnqueueAsync([.. Enumerable.Range(0, 10_000).Select(i => new NewTask("q", "mail", i))], Cancelled)).Count);

        Assert.Equal([$"10000|{organization}"], await _queues.Postgres.QueryAsync("SELECT count(*), min(fairness_key) FROM tasks"));
        Assert.Equal(QueueWindow.DefaultRoom, await _queues.Redis.Keys.ListLengthAsync(RedisKeys.Queue("q")));
    }

    [Fact]
    public async Task What_is_special_about_a_task_is_kept()
    {
        var (db, queue) = _queues.Tenant(_user);
        await using (db)
        {
            await queue.EnqueueAsync(
                new NewTask("q", "mail") { Delay = TimeSpan.FromHours(1), Priority = 7, FairnessKey = "shared", Retention = TimeSpan.Zero, MaxAttempts = 2 }, Cancelled);
        }

        Assert.Equal(
            ["scheduled|True|7|shared|00:00:00|2"],
            await _queues.TasksAsync("status, run_at > now() + interval '59 min', priority, fairness_key, retention, max_attempts"));
        Assert.Empty(await _queues.Redis.AllKeysAsync());
    }

    [Theory]
    [InlineData("", "mail", 0)]
    [InlineData("q", "a\0b", 0)]
    [InlineData("q", "mail", 101)]
    public async Task A_task_with_a_defect_is_refused(string name, string type, short priority)
    {
        var (db, queue) = _queues.Tenant(_user);
        await using (db)
            await Assert.ThrowsAsync<ArgumentException>(() => queue.EnqueueAsync(new NewTask(name, type) { Priority = priority }, Cancelled));
    }

    [Fact]
    public async Task Tasks_are_enqueued_while_Redis_is_away()
    {
        using var closed = new ClosedPort();
        await using var away = await RedisDatabase.OpenAsync($"127.0.0.1:{closed.Number},abortConnect=false,connectTimeout=100");
        await new SystemTaskQueue(_queues.Database, away.Window, TimeProvider.System).EnqueueAsync([new NewTask("q", "mail")], Cancelled);

        Assert.Equal(["waiting"], await _queues.TasksAsync("status"));
    }

    [Fact]
    public async Task Nobody_enqueues_for_another_tenant()
    {
        var other = await _queues.Postgres.DefaultOrganizationAsync(await _queues.Postgres.SignInAsync());
        var (db, queue) = _queues.Tenant(_user, other);
        await using (db)
            await Assert.ThrowsAnyAsync<Exception>(() => queue.EnqueueAsync("q", "mail", null, Cancelled));
        Assert.Empty(await _queues.TasksAsync("id"));
    }
}
