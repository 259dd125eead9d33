using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.Queues;

/// <summary>Who may push, and when the feeder is told: no task waits for the feeder's own next look while somebody knows that it waits.</summary>
public sealed class QueueWindowTests(RedisFixture redis) : IAsyncLifetime
{
    private readonly string _queue = $"{Guid.CreateVersion7():n}"; // databases share their channels

    private RedisDatabase _redis = null!; // set before every test

    public async ValueTask InitializeAsync() => _redis = await redis.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private QueueWindow Window => _redis.Window;

    [Fact]
    public async Task Who_finds_no_room_shuts_the_list_so_that_nobody_passes_and_the_feeder_is_told()
    {
        await Window.FeedAsync(_queue, 4, hasMore: false, []);
        var toldAsync = await ListenAsync();
        await Window.PushAsync(_queue, Ids(0, 6));
        await Window.TakeAsync(_queue, 1);
        await Window.PushAsync(_queue, Ids(6, 1));

        Assert.Equal(Ids(1, 3), await _redis.ListAsync(RedisKeys.Queue(_queue)));
        Assert.Equal(0, await toldAsync());
        await Window.TakeAsync(_queue, 2);
        Assert.Equal(1, await toldAsync());
    }

    [Fact]
    public async Task The_feeder_is_told_once_when_half_of_what_it_filled_is_taken()
    {
        await Window.FeedAsync(_queue, 8, hasMore: true, Ids(0, 8));
        var toldAsync = await ListenAsync();
        await Window.TakeAsync(_queue, 2);
        await Window.TakeAsync(_queue, 2);
        Assert.Equal(0, await toldAsync());
        await Window.TakeAsync(_queue, 1);
        Assert.Equal(1, await toldAsync());
        await Window.TakeAsync(_queue, 1);
        Assert.Equal(1, await toldAsync());

        await Window.FeedAsync(_queue, 8, hasMore: true, Ids(8, 6));
        await Window.TakeAsync(_queue, 5);
        Assert.Equal(2, await toldAsync());
    }

    [Fact]
    public async Task The_feeder_hears_that_it_opened_the_list_and_looks_again_for_what_was_committed_meanwhile()
    {
        Assert.Equal((0, false), await Window.FeedAsync(_queue, 4, hasMore: false, []));
        Assert.Equal((4, false), await Window.FeedAsync(_queue, 4, hasMore: true, Ids(0, 5)));
        Assert.Equal((0, true), await Window.FeedAsync(_queue, 4, hasMore: false, []));
        Assert.Equal((0, false), await Window.FeedAsync(_queue, 4, hasMore: false, []));

        await Window.PushAsync(_queue, Ids(5, 1)); // no room
        Assert.Equal((0, true), await Window.FeedAsync(_queue, 4, hasMore: false, []));
    }

    [Fact]
    public async Task A_list_that_a_producer_shut_opens_by_itself_where_there_is_no_feeder()
    {
        await Window.PushAsync(_queue, Ids(0, QueueWindow.DefaultRoom + 1));

        Assert.InRange((await _redis.Keys.KeyTimeToLiveAsync(RedisKeys.Window(_queue)))!.Value, TimeSpan.Zero, TimeSpan.FromMilliseconds(250));
    }

    private static string[] Ids(int first, int count) => [.. Enumerable.Range(first, count).Select(number => $"{number:x32}")];

    // What was told until now: a channel keeps the order, and others use it, too.
    private async Task<Func<Task<int>>> ListenAsync()
    {
        var (channel, subscriber) = (RedisChannel.Literal(RedisKeys.Low.ToString()), _redis.Connection.GetSubscriber());
        var (heard, told) = (await subscriber.SubscribeAsync(channel), 0);
        return async () =>
        {
            var end = Guid.CreateVersion7().ToString("n");
            await subscriber.PublishAsync(channel, end);
            for (var message = await heard.ReadAsync(Cancelled); message.Message != end; message = await heard.ReadAsync(Cancelled))
                told += message.Message == _queue ? 1 : 0;
            return told;
        };
    }
}
