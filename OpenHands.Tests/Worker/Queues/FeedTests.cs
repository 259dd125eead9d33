using Microsoft.Extensions.Time.Testing;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>Whose turn it is.</summary>
public sealed class FeedTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_with_few_tasks_does_not_wait_for_one_with_many()
    {
        await EnqueueAsync("many", 1000);
        await EnqueueAsync("few", 2);
        var (chosen, hasMore) = await ChooseAsync(new Feed("q", TimeProvider.System), 16);

        Assert.True(hasMore);
        Assert.Equal(["few", "many", "few", "many", "many"], chosen.Take(5));
    }

    [Fact]
    public async Task Shares_are_in_proportion_to_the_weights_over_many_looks()
    {
        await EnqueueAsync("one", 200);
        await EnqueueAsync("three", 200);
        var feed = new Feed("q", new FakeTimeProvider()) { Weights = new Dictionary<string, int> { ["three"] = 3 } };
        var chosen = new List<string>();
        for (var i = 0; i < 10; i++)
            chosen.AddRange((await ChooseAsync(feed, 16)).Chosen);

        Assert.Equal(160, chosen.Count);
        Assert.InRange(chosen.Count(key => key == "three"), 118, 122);
    }

    [Fact]
    public async Task Whoever_had_nothing_to_do_has_saved_up_no_turns()
    {
        await EnqueueAsync("busy", 200);
        var feed = new Feed("q", TimeProvider.System);
        await ChooseAsync(feed, 100);
        await EnqueueAsync("late", 100);

        Assert.InRange((await ChooseAsync(feed, 20)).Chosen.Count(key => key == "late"), 9, 11);
    }

    [Fact]
    public async Task A_higher_priority_comes_first_among_the_tasks_of_one_tenant_and_passes_no_other()
    {
        await EnqueueAsync("a", 2);
        await EnqueueAsync("a", 1, priority: 5);
        await EnqueueAsync("b", 1);
        var (ids, _) = await new Feed("q", TimeProvider.System).ChooseAsync(_queues.Waiting, 16, null, null, Cancelled);

        var rows = (await _queues.TasksAsync("id, fairness_key, priority")).ToDictionary(row => row[..32], row => row[33..]);
        Assert.Equal(["a|5", "b|0", "a|0", "a|0"], ids.Select(id => rows[id]));
    }

    [Fact]
    public async Task Ids_on_their_way_are_not_fed_again_and_come_back_when_they_were_lost()
    {
        await EnqueueAsync("a", 4);
        var time = new FakeTimeProvider();
        var feed = new Feed("q", time);
        Assert.Equal(4, (await ChooseAsync(feed, 16)).Chosen.Count);
        Assert.Empty((await ChooseAsync(feed, 16)).Chosen);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(4, (await ChooseAsync(feed, 16)).Chosen.Count);
    }

    [Fact]
    public async Task More_tenants_than_one_look_holds_all_have_their_turn()
    {
        await _queues.Producer.EnqueueAsync([.. Enumerable.Range(0, 600).Select(i => new NewTask("q", "test") { FairnessKey = $"tenant {i}" })], Cancelled);
        var (feed, chosen) = (new Feed("q", new FakeTimeProvider()), new List<string>());
        for (var i = 0; i < 14; i++)
            chosen.AddRange((await ChooseAsync(feed, 100)).Chosen);

        Assert.Equal((600, 600), (chosen.Count, chosen.Distinct().Count()));
    }

    [Fact]
    public async Task Limits_are_kept_when_choosing()
    {
        await EnqueueAsync("a", 10);
        await EnqueueAsync("b", 10);
        var rule = new QueueRule("q", false, MaxRunning: 5, MaxRunningPerTenant: 3);
        var (ids, _) = await new Feed("q", TimeProvider.System).ChooseAsync(_queues.Waiting, 16, rule, new Dictionary<string, int> { ["a"] = 2 }, Cancelled);
        var keys = await KeysAsync(ids);

        Assert.Equal((1, 2), (keys.Count(key => key == "a"), keys.Count(key => key == "b")));
    }

    [Fact]
    public async Task While_more_tasks_wait_than_the_list_holds_nobody_passes_them()
    {
        await EnqueueAsync("many", 40);
        await using var worker = await WorkerHost.StartAsync(_queues, async (_, cancellationToken) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return new TaskOutcome.Done();
        }, "Worker:Concurrency=1", "Worker:ShutdownTimeout=00:00:00");
        await Eventually.TrueAsync("the feeder says so", async () => (int?)await _queues.Redis.Keys.StringGetAsync(RedisKeys.Window("q")) <= 0);
        await _queues.Redis.Keys.ListTrimAsync(RedisKeys.Queue("q"), 0, 3);
        var late = Assert.Single(await _queues.EnqueueAsync("q", 1));

        Assert.DoesNotContain(late, (await _queues.Redis.ListAsync(RedisKeys.Queue("q"))).Take(4));
    }

    private Task<IReadOnlyList<string>> EnqueueAsync(string key, int count, short priority = 0) => _queues.Producer.EnqueueAsync(
        [.. Enumerable.Range(0, count).Select(_ => new NewTask("q", "test") { FairnessKey = key, Priority = priority })], Cancelled);

    private async Task<(List<string> Chosen, bool HasMore)> ChooseAsync(Feed feed, int most)
    {
        var (ids, hasMore) = await feed.ChooseAsync(_queues.Waiting, most, null, null, Cancelled);
        return (await KeysAsync(ids), hasMore);
    }

    private async Task<List<string>> KeysAsync(IReadOnlyList<string> ids)
    {
        var rows = (await _queues.TasksAsync("id, fairness_key")).ToDictionary(row => row[..32], row => row[33..]);
        return [.. ids.Select(id => rows[id])];
    }
}
