using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Queues;

/// <summary>Tasks that are enqueued at the same time, without a transaction.</summary>
public sealed class JointInsertsTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Those_of_one_tenant_share_commits_and_each_is_told_of_its_own()
    {
        var user = await _queues.Postgres.SignInAsync();
        var tasks = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => EnqueueAsync(user, new NewTask("q", "test", i))));

        Assert.All(tasks, task => Assert.Equal((true, QueuedTaskStatus.Waiting), (task.IsNew, task.Status)));
        Assert.Equal(tasks.Select((task, i) => $"{task.Id}|{i}|{user}").Order(), (await _queues.TasksAsync("id, payload, user_id")).Order());
        Assert.InRange((await _queues.TasksAsync("xmin")).Distinct().Count(), 1, 30);
        Assert.Equal(QueueWindow.DefaultRoom, (await _queues.Redis.ListAsync(RedisKeys.Queue("q"))).Distinct().Count());
    }

    [Fact]
    public async Task Those_of_different_tenants_stay_apart()
    {
        var users = new[] { await _queues.Postgres.SignInAsync(), await _queues.Postgres.SignInAsync() };
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => EnqueueAsync(users[i % 2], new NewTask("q", "test", i))));

        Assert.All(await _queues.TasksAsync("user_id, payload"), row => Assert.Equal(users[int.Parse(row.Split('|')[1], System.Globalization.CultureInfo.InvariantCulture) % 2], row.Split('|')[0]));
        Assert.Equal(40, (await _queues.TasksAsync("id")).Count);
    }

    [Fact]
    public async Task What_cannot_be_stored_fails_alone()
    {
        var user = await _queues.Postgres.SignInAsync();
        const string HalfACharacter = "\ud800";
        var attempts = Enumerable.Range(0, 20).Select(i => EnqueueAsync(user, new NewTask("q", i == 10 ? HalfACharacter : "test", i))).ToList();

        await Assert.ThrowsAnyAsync<Exception>(() => attempts[10]);
        attempts.RemoveAt(10);
        await Task.WhenAll(attempts);
        Assert.Equal(19, (await _queues.TasksAsync("id")).Count);
    }

    [Fact]
    public async Task A_caller_who_gives_up_leaves_the_line_to_the_others()
    {
        var user = await _queues.Postgres.SignInAsync();
        using var givenUp = new CancellationTokenSource();
        var attempts = Enumerable.Range(0, 20).Select(i => EnqueueAsync(user, new NewTask("q", "test", i), i == 0 ? givenUp.Token : Cancelled)).ToList();
        await givenUp.CancelAsync();

        await attempts[0].ContinueWith(_ => { }, Cancelled, TaskContinuationOptions.None, TaskScheduler.Default);
        await Task.WhenAll(attempts.Skip(1));
        Assert.InRange((await _queues.TasksAsync("id")).Count, 19, 20);
        Assert.True((await EnqueueAsync(user, new NewTask("q", "test"))).IsNew);
    }

    private async Task<EnqueuedTask> EnqueueAsync(string user, NewTask task, CancellationToken? cancellationToken = null)
    {
        var (db, queue) = _queues.Tenant(user);
        await using (db)
            return await queue.EnqueueAsync(task, cancellationToken ?? Cancelled);
    }
}
