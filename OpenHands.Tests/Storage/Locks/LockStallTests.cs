#if !ASPIRE_PACKAGES // starts a Redis of its own
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.Locks;

/// <summary>Holders that are cut off, and what waiting costs.</summary>
public sealed class LockStallTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Whoever is told looks into Redis afterwards: the lock must still be there, so nobody else can have had it.
    [Fact]
    public async Task Who_can_no_longer_renew_a_lock_is_told_before_Redis_drops_it()
    {
        await using var server = await RedisTestServer.StartAsync();
        await using var direct = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        await Task.WhenAll(
            StallAsync(server, direct, "cut", relay => relay.CloseAsync()),
            StallAsync(server, direct, "silent", relay =>
            {
                relay.Hold();
                return Task.CompletedTask;
            }));
    }

    [Fact]
    public async Task A_hundred_waiters_of_two_replicas_ask_Redis_little_more_than_once_each()
    {
        await using var server = await RedisTestServer.StartAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString + ",allowAdmin=true");
        await using var one = new LockReplica(fixture.Database, redis);
        await using var two = new LockReplica(fixture.Database, redis);
        var held = await one.Locks.TryAcquireAsync("test", "x", cancellationToken: Token);
        var (inside, most, had) = (0, 0, 0);
        var waiters = Enumerable.Range(0, 100).Select(async number =>
        {
            await using var got = await (number % 2 == 0 ? one : two).Locks.AcquireAsync("test", "x", TimeSpan.FromMinutes(1), cancellationToken: Token);
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Yield();
            had++;
            Interlocked.Decrement(ref inside);
        }).ToList();
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, Token); // what a storm would need
        await held!.DisposeAsync();
        await Task.WhenAll(waiters);

        Assert.Equal((100, 1), (had, most));
        var statistics = (await redis.GetServers()[0].InfoAsync("commandstats")).Single().ToDictionary(pair => pair.Key, pair => pair.Value);
        var asked = int.Parse(statistics["cmdstat_set"].Split(',')[0]["calls=".Length..]);
        // Everyone perhaps once on coming; one of each replica at a release, and now and then while nothing happens.
        Assert.InRange(asked, 101, 500);
    }

    private async Task StallAsync(RedisTestServer server, ConnectionMultiplexer direct, string id, Func<TcpRelay, Task> stallAsync)
    {
        var options = ConfigurationOptions.Parse(server.ConnectionString);
        await using var relay = new TcpRelay(((System.Net.DnsEndPoint)options.EndPoints[0]).Port);
        relay.Open();
        options.EndPoints[0] = new System.Net.DnsEndPoint("127.0.0.1", relay.Port);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        await using var replica = new LockReplica(fixture.Database, connection);
        var held = (await replica.Locks.TryAcquireAsync("test", id, Lifetime, Token))!;
        var owner = await direct.GetDatabase().StringGetAsync(RedisKeys.Lock("test", id));

        await stallAsync(relay);
        var found = await Task.Factory.StartNew(
            () =>
            {
                held.Lost.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
                return direct.GetDatabase().StringGet(RedisKeys.Lock("test", id));
            }, Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(held.Lost.IsCancellationRequested, id);
        Assert.False(held.IsHeld, id);
        Assert.Equal(owner, found);
    }
}
#endif
