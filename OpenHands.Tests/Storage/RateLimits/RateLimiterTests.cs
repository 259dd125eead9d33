using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;
using OpenHands.Storage.RateLimits;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.RateLimits;

/// <summary>Callers that ask for too much, through two replicas whose clocks are five seconds apart.</summary>
public sealed class RateLimiterTests(RedisFixture redisServer) : IAsyncLifetime
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private RedisDatabase _redis = null!;
    private ConnectionMultiplexer _connection = null!;
    private LimiterReplica _one = null!;
    private LimiterReplica _two = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString);
        _one = new LimiterReplica(_redis.Connection);
        _two = new LimiterReplica(_connection, new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddSeconds(5)));
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _redis.DisposeAsync();
    }

    // 100 is the last limit that is exact; above, the first window of a caller is exact, too.
    [Theory]
    [InlineData(10, 100)]
    [InlineData(100, 300)]
    [InlineData(150, 400)]
    public async Task Of_calls_at_the_same_time_exactly_as_many_as_the_limit_are_allowed(int limit, int calls)
    {
        var policy = new RateLimitPolicy("test", limit, TimeSpan.FromHours(1));
        var decisions = await Task.WhenAll(Enumerable.Range(0, calls).Select(number => TakeAsync(number % 2 == 0 ? _one : _two, policy)));
        Assert.Equal(limit, decisions.Count(decision => decision.IsAllowed));
        Assert.All(decisions, decision => Assert.False(decision.IsDegraded));
        Assert.Equal(Enumerable.Range(0, limit), decisions.Where(decision => decision.IsAllowed).Select(decision => decision.States[0].Remaining).Order());
        Assert.All(decisions.Where(decision => !decision.IsAllowed), decision => Assert.InRange(decision.RetryAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(2)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public async Task Every_key_has_an_end(int limit)
    {
        var policy = new RateLimitPolicy("test", limit, Minute);
        for (var number = 0; number < 12; number++)
        {
            await TakeAsync(_one, policy);
            Assert.InRange(await _redis.Keys.KeyTimeToLiveAsync(RedisKeys.RateLimit("test", "x")) ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), 2 * Minute);
        }
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(7, 3)]
    [InlineData(120, 50)]
    [InlineData(101, 1)]
    public async Task Who_waits_as_long_as_told_is_allowed_the_next_time(int limit, int cost)
    {
        var policy = new RateLimitPolicy($"test-{limit}", limit, TimeSpan.FromSeconds(1));
        for (var refused = 0; refused < 3;)
        {
            var decision = await TakeAsync(_one, policy, cost);
            if (decision.IsAllowed)
                continue;
            refused++;
            // A timer may come some milliseconds early; over HTTP it is whole seconds, rounded up.
            await Task.Delay(decision.RetryAfter + TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
            Assert.True((await TakeAsync(_two, policy, cost)).IsAllowed, $"after {decision.RetryAfter}");
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(110)]
    public async Task What_costs_more_takes_more(int limit)
    {
        var policy = new RateLimitPolicy("test", limit, TimeSpan.FromHours(1));
        if (limit > 10)
            await TakeAsync(_one, policy, limit - 10);
        Assert.Equal((true, 6), Of(await TakeAsync(_one, policy, 4)));
        Assert.Equal((true, 2), Of(await TakeAsync(_two, policy, 4)));
        Assert.Equal((false, 2), Of(await TakeAsync(_one, policy, 4)));
        Assert.Equal((true, 0), Of(await TakeAsync(_one, policy, 2)));
    }

    [Fact]
    public async Task What_one_policy_refuses_counts_under_none()
    {
        var (wide, narrow) = (new RateLimitPolicy("wide", 1000, Minute), new RateLimitPolicy("narrow", 1, Minute));
        LimitedCaller[] callers = [new(wide, "x"), new(narrow, "x")];
        var first = await _one.Limiter.TakeAsync(callers, 1, Token);
        var second = await _two.Limiter.TakeAsync(callers, 1, Token);
        Assert.True(first.IsAllowed);
        Assert.False(second.IsAllowed);
        Assert.Equal(narrow, Assert.Single(second.Violated).Policy);
        Assert.Equal((true, 999), (second.States[0].Allows, second.States[0].Remaining));
    }

    [Fact]
    public async Task A_policy_that_only_watches_refuses_nothing_and_says_what_it_would()
    {
        var policy = new RateLimitPolicy("test", 2, Minute, IsShadow: true);
        var decisions = new List<RateLimitDecision>();
        for (var number = 0; number < 4; number++)
            decisions.Add(await TakeAsync(_one, policy));
        Assert.All(decisions, decision => Assert.True(decision.IsAllowed));
        Assert.Equal([true, true, false, false], decisions.Select(decision => decision.States[0].Allows));
        Assert.Empty(decisions[^1].Violated);
    }

    // As after a failover to a machine whose clock is an hour behind.
    [Fact]
    public async Task A_clock_that_was_set_back_shuts_nobody_out_for_longer_than_a_window()
    {
        var stamp = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(stamp, TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds());
        byte[] log = [(byte)'L', .. Enumerable.Repeat(stamp[2..], 10).SelectMany(each => each)];
        await _redis.Keys.StringSetAsync(RedisKeys.RateLimit("test", "x"), log, Minute);
        var decision = await TakeAsync(_one, new RateLimitPolicy("test", 10, Minute));
        Assert.False(decision.IsAllowed);
        Assert.InRange(decision.RetryAfter, TimeSpan.FromSeconds(1), Minute);
    }

    [Fact]
    public async Task A_limit_that_is_changed_in_kind_begins_anew()
    {
        Assert.True((await TakeAsync(_one, new RateLimitPolicy("test", 1, Minute))).IsAllowed);
        Assert.True((await TakeAsync(_one, new RateLimitPolicy("test", 1000, Minute))).IsAllowed);
        Assert.True((await TakeAsync(_one, new RateLimitPolicy("test", 1, Minute))).IsAllowed);
    }

    [Theory]
    [InlineData(100, 1000)]
    [InlineData(1_000_000, 150)]
    public async Task A_key_is_small(int limit, int most)
    {
        var policy = new RateLimitPolicy("test", limit, Minute);
        for (var number = 0; number < 100; number++)
            await TakeAsync(_one, policy);
        Assert.InRange((int)await _redis.Keys.ExecuteAsync("MEMORY", "USAGE", "ratelimit:test:x", "SAMPLES", "0"), 50, most);
    }

    [Fact]
    public async Task Without_Redis_all_replicas_together_allow_one_limit_and_nobody_is_refused_for_ever()
    {
        await _one.Replicas.CountAsync(Token);
        await _two.Replicas.CountAsync(Token);
        await _one.Replicas.CountAsync(Token);
        Assert.Equal((2, 2), (_one.Replicas.Count, _two.Replicas.Count));

        var clock = new FakeTimeProvider();
        await using var one = new LimiterReplica(null, clock, _one.Replicas);
        await using var two = new LimiterReplica(null, clock, _two.Replicas);
        var policy = new RateLimitPolicy("test", 10, Minute);
        var decisions = new List<RateLimitDecision>();
        for (var number = 0; number < 40; number++)
            decisions.Add(await TakeAsync(number % 2 == 0 ? one : two, policy));
        Assert.Equal(10, decisions.Count(decision => decision.IsAllowed));
        Assert.All(decisions, decision => Assert.True(decision.IsDegraded));

        clock.Advance(decisions[^1].RetryAfter);
        Assert.True((await TakeAsync(two, policy)).IsAllowed);
        clock.Advance(2 * Minute);
        Assert.True((await TakeAsync(one, policy, cost: 9)).IsAllowed); // more than its share, when nothing else was
        Assert.False((await TakeAsync(one, policy)).IsAllowed);
    }

    [Fact]
    public async Task Without_Redis_what_is_closed_then_is_refused()
    {
        await using var alone = new LimiterReplica(null);
        var decision = await TakeAsync(alone, new RateLimitPolicy("login", 100, Minute, IsClosedWithoutRedis: true));
        Assert.Equal((false, true), (decision.IsAllowed, decision.IsDegraded));
        Assert.Equal(TimeSpan.FromSeconds(5), decision.RetryAfter);
    }

    [Fact]
    public async Task Without_Redis_a_flood_of_new_callers_is_limited_and_fills_no_memory()
    {
        await using var alone = new LimiterReplica(null);
        var policy = new RateLimitPolicy("test", 10, TimeSpan.FromHours(1));
        var allowed = 0;
        for (var number = 0; number < 21_000; number++)
            allowed += (await TakeAsync(alone, policy, id: $"{number}")).IsAllowed ? 1 : 0;
        Assert.Equal(20_010, allowed);
    }

    private static (bool, int) Of(RateLimitDecision decision) => (decision.IsAllowed, decision.States[0].Remaining);

    private static Task<RateLimitDecision> TakeAsync(LimiterReplica replica, RateLimitPolicy policy, int cost = 1, string id = "x") =>
        replica.Limiter.TakeAsync([new LimitedCaller(policy, id)], cost, Token);
}
