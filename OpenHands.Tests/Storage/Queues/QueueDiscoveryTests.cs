using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Queues;

public sealed class QueueDiscoveryTests(RedisFixture redis) : IAsyncLifetime
{
    private RedisDatabase _redis = null!; // set before every test

    public async ValueTask InitializeAsync() => _redis = await redis.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task Every_list_is_found_among_many_other_keys()
    {
        await Task.WhenAll(Enumerable.Range(0, 3000).Select(i => _redis.Keys.StringSetAsync($"cache:user:{i}", i)));
        await _redis.Keys.ListRightPushAsync("queue:a", "1");
        await _redis.Keys.ListRightPushAsync("queue:b:c", "1");

        var (found, steps) = await PassAsync();
        Assert.Equal(["a", "b:c"], found.Where(queue => queue.Shape == QueueShape.List).Select(queue => queue.Name).Distinct().Order());
        Assert.True(steps > 1);
    }

    [Fact]
    public async Task A_list_is_found_that_is_empty_while_values_taken_from_it_are_not_adopted_yet()
    {
        await _redis.Keys.HashSetAsync("adopting:left", "0", "x");
        await _redis.Keys.StringSetAsync("adopted", "x"); // neither of these is one
        await _redis.Keys.StringSetAsync("queued", "x");

        var (found, _) = await PassAsync();
        Assert.Equal([new FoundQueue("left", QueueShape.List)], found);
    }

    [Fact]
    public async Task Other_types_and_unusable_names_are_told_apart()
    {
        await _redis.Keys.StringSetAsync("queue:text", "x");
        await _redis.Keys.ListRightPushAsync("queue:", "x");
        await _redis.Keys.ListRightPushAsync("queue:nul\0", "x");
        await _redis.Keys.ListRightPushAsync("queue:" + new string('n', 507), "x");
        await _redis.Keys.ListRightPushAsync((byte[])[.. "queue:"u8, 0xff], "x");
        await _redis.Keys.ListRightPushAsync("queue:" + new string('n', 506), "x");

        var (found, _) = await PassAsync();
        Assert.Equal(4, found.Count(queue => queue.Shape == QueueShape.UnusableName));
        Assert.Equal("text", Assert.Single(found, queue => queue.Shape == QueueShape.OtherType).Name);
        Assert.Equal(506, Assert.Single(found, queue => queue.Shape == QueueShape.List).Name.Length);
    }

    private async Task<(List<FoundQueue> Found, int Steps)> PassAsync()
    {
        var discovery = new QueueDiscovery(_redis.Connection);
        var found = new List<FoundQueue>();
        var steps = 0;
        do
        {
            found.AddRange(await discovery.StepAsync(_ => false));
            steps++;
        }
        while (!discovery.PassIsComplete);
        return (found, steps);
    }
}
