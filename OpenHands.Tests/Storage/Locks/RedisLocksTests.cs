using OpenHands.Storage.Locks;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.Locks;

/// <summary>Locks that two replicas share.</summary>
public sealed class RedisLocksTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly RedisKey Key = RedisKeys.Lock("test", "x");

    private RedisDatabase _redis = null!;
    private LockReplica _one = null!;
    private LockReplica _two = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _one = new LockReplica(fixture.Database, _redis.Connection);
        _two = new LockReplica(fixture.Database, _redis.Connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Of_many_who_try_one_gets_it_and_after_its_release_the_next()
    {
        var tries = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => TryAsync(number % 2 == 0 ? _one : _two)));
        var held = Assert.Single(tries, held => held is not null)!;
        Assert.True(held.IsHeld);
        Assert.InRange(await _redis.Keys.KeyTimeToLiveAsync(Key) ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));

        await held.DisposeAsync();
        Assert.False(held.IsHeld);
        Assert.False(held.Lost.IsCancellationRequested); // given back is not lost
        await using var next = await TryAsync(_two);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task Who_lost_a_lock_is_told_and_does_not_release_that_of_the_next()
    {
        var first = await TryAsync(_one, TimeSpan.FromSeconds(2));
        await _redis.Keys.KeyDeleteAsync(Key); // as when Redis lost it
        await using var second = await TryAsync(_two);
        Assert.NotNull(second);

        await Eventually.TrueAsync("the first is told", () => first!.Lost.IsCancellationRequested);
        Assert.False(first!.IsHeld);
        await first.DisposeAsync();
        Assert.Null(await TryAsync(_one));
        Assert.True(second.IsHeld);
    }

    [Fact]
    public async Task A_lock_that_is_held_for_long_is_renewed()
    {
        // A third of it until it is renewed; the rest is for a machine that is busy.
        await using var held = await TryAsync(_one, TimeSpan.FromSeconds(9));
        var left = await _redis.Keys.KeyTimeToLiveAsync(Key);
        await Eventually.TrueAsync("its life is longer than before", async () =>
        {
            var (before, now) = (left, await _redis.Keys.KeyTimeToLiveAsync(Key));
            left = now;
            return now > before;
        });
        Assert.True(held!.IsHeld);
    }

    [Fact]
    public async Task Who_waits_longer_than_wanted_is_told_how_long_others_held_it()
    {
        await using var held = await TryAsync(_one);
        var started = TimeProvider.System.GetTimestamp();
        var refused = await Assert.ThrowsAsync<LockTimeoutException>(() => _two.Locks.AcquireAsync("test", "x", TimeSpan.FromMilliseconds(300), cancellationToken: Token));
        // A timer counts by a coarser clock than the one read here.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromMilliseconds(280), TimeSpan.MaxValue);
        Assert.Equal("Lock lock:test:x was held by others for 0.3 s. Try again later.", refused.Message);
        await Assert.ThrowsAsync<LockTimeoutException>(() => _two.Locks.AcquireAsync("test", "x", TimeSpan.Zero, cancellationToken: Token));
    }

    [Fact]
    public async Task Who_no_longer_wants_to_wait_leaves_the_line_to_the_others()
    {
        var held = await TryAsync(_one);
        using var enough = new CancellationTokenSource();
        var first = _two.Locks.AcquireAsync("test", "x", Patience, cancellationToken: enough.Token);
        var second = _two.Locks.AcquireAsync("test", "x", Patience, cancellationToken: Token);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(second.IsCompleted);
        await held!.DisposeAsync();
        await using var got = await second;
        Assert.True(got.IsHeld);
    }

    [Fact]
    public async Task A_lock_whose_holder_died_is_had_when_its_life_ends()
    {
        await _redis.Keys.StringSetAsync(Key, "somebody", TimeSpan.FromSeconds(1), when: When.NotExists);
        await using var got = await _one.Locks.AcquireAsync("test", "x", Patience, cancellationToken: Token);
        Assert.True(got.IsHeld);
    }

    [Fact]
    public async Task A_release_by_a_client_that_tells_nobody_is_noticed()
    {
        await _redis.Keys.StringSetAsync(Key, "somebody", TimeSpan.FromMinutes(5), when: When.NotExists);
        var waiting = _one.Locks.AcquireAsync("test", "x", Patience, cancellationToken: Token);
        Assert.False(waiting.IsCompleted);
        await _redis.Keys.KeyDeleteAsync(Key);
        await using var got = await waiting;
        Assert.True(got.IsHeld);
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("a:b", "x")]
    [InlineData("test", "")]
    public async Task A_name_that_could_be_that_of_another_lock_is_refused(string resource, string id) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await _one.Locks.TryAcquireAsync(resource, id, cancellationToken: Token));

    [Theory]
    [InlineData(0.499)]
    [InlineData(86_401)]
    public async Task A_lifetime_that_cannot_be_kept_is_refused(double seconds) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => TryAsync(_one, TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task Without_Redis_it_is_not_said_that_somebody_holds_it()
    {
        using var closed = new ClosedPort();
        await using var nowhere = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{closed.Number},abortConnect=false,connectTimeout=100");
        await using var cutOff = new LockReplica(fixture.Database, nowhere);
        await Assert.ThrowsAsync<LockUnavailableException>(() => TryAsync(cutOff));
        await Assert.ThrowsAsync<LockUnavailableException>(() => cutOff.Locks.AcquireAsync("test", "x", TimeSpan.FromMilliseconds(200), cancellationToken: Token));
    }

    private static Task<HeldLock?> TryAsync(LockReplica replica, TimeSpan? lifetime = null) => replica.Locks.TryAcquireAsync("test", "x", lifetime, Token);
}
