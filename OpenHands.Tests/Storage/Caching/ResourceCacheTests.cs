using OpenHands.Storage.Caching;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Caching;

/// <summary>Typed values, of two replicas.</summary>
public sealed class ResourceCacheTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private RedisDatabase _redis = null!;
    private Caches _caches = null!;
    private Caches _others = null!;
    private ResourceCache<Fruit> _one = null!;
    private ResourceCache<Fruit> _two = null!;
    private int _loads;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _caches = new Caches(fixture.Database, _redis.Connection);
        _others = new Caches(fixture.Database, _redis.Connection);
        _one = new ResourceCache<Fruit>(_caches.Entries, "fruit", TimeSpan.FromMinutes(1));
        _two = new ResourceCache<Fruit>(_others.Entries, "fruit", TimeSpan.FromMinutes(1));
    }

    public async ValueTask DisposeAsync()
    {
        await _caches.DisposeAsync();
        await _others.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_hundred_misses_of_two_replicas_load_once()
    {
        var fruits = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => ReadAsync(number % 2 == 0 ? _one : _two, new Fruit("apple"))));
        Assert.All(fruits, fruit => Assert.Equal(new Fruit("apple"), fruit));
        Assert.Equal(1, _loads);
        Assert.Equal(["cache:fruit:x"], await _redis.AllKeysAsync());
        Assert.InRange(await _redis.Keys.KeyTimeToLiveAsync("cache:fruit:x") ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Nothing_known_and_none_there_and_a_value_are_three_things()
    {
        Assert.Equal(default, await _one.GetAsync("x", Token));
        Assert.Empty(await _redis.AllKeysAsync()); // asking loads nothing, and promises nobody to load
        Assert.Null(await ReadAsync(_one, null));
        Assert.Equal(new Cached<Fruit>(true, null), await _two.GetAsync("x", Token));
        Assert.Null(await ReadAsync(_two, new Fruit("unseen")));
        Assert.Equal(1, _loads);

        await _one.SetAsync("x", _ => Task.FromResult<Versioned<Fruit>?>(new Versioned<Fruit>(1, new Fruit("pear"))), Token);
        Assert.Equal(new Cached<Fruit>(true, new Fruit("pear")), await _two.GetAsync("x", Token));
    }

    [Fact]
    public async Task That_there_is_none_is_kept_only_where_it_is_wanted()
    {
        var positive = new ResourceCache<Fruit>(_caches.Entries, "fruit", TimeSpan.FromMinutes(1), keepsAbsence: false);
        Assert.Null(await ReadAsync(positive, null));
        Assert.Empty(await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task What_was_removed_is_loaded_anew()
    {
        await ReadAsync(_one, new Fruit("apple"));
        Assert.True(await _two.RemoveAsync("x", _ => Task.CompletedTask, Token));
        Assert.Null(await ReadAsync(_one, null));
    }

    [Fact]
    public async Task A_write_that_fails_keeps_nothing_and_says_so()
    {
        await ReadAsync(_one, new Fruit("apple"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _one.SetAsync("x", _ => throw new InvalidOperationException("refused"), Token));
        Assert.Equal(default, await _two.GetAsync("x", Token));
    }

    [Fact]
    public async Task A_value_of_another_release_is_loaded_anew()
    {
        await new ResourceCache<string>(_caches.Entries, "fruit", TimeSpan.FromMinutes(1))
            .SetAsync("x", _ => Task.FromResult<Versioned<string>?>(new Versioned<string>(1, "an apple")), Token);
        Assert.Equal(new Fruit("apple"), await ReadAsync(_one, new Fruit("apple")));
        Assert.Equal(new Fruit("apple"), await ReadAsync(_one, new Fruit("apple")));
    }

    [Fact]
    public async Task Without_Redis_everything_is_loaded_and_a_write_says_that_others_may_not_know()
    {
        await using var cutOff = new Caches(fixture.Database);
        var alone = new ResourceCache<Fruit>(cutOff.Entries, "fruit", TimeSpan.FromMinutes(1));
        Assert.False(await alone.SetAsync("x", _ => Task.FromResult<Versioned<Fruit>?>(new Versioned<Fruit>(1, new Fruit("pear"))), Token));
        Assert.Equal(new Fruit("pear"), await ReadAsync(alone, new Fruit("pear")));
        Assert.Equal(default, await alone.GetAsync("x", Token));
    }

    [Fact]
    public void A_lifetime_of_nothing_and_a_name_with_a_colon_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ResourceCache<Fruit>(_caches.Entries, "fruit", TimeSpan.Zero));
        Assert.Throws<ArgumentException>(() => new ResourceCache<Fruit>(_caches.Entries, "fruit:red", TimeSpan.FromMinutes(1)));
    }

    private Task<Fruit?> ReadAsync(ResourceCache<Fruit> cache, Fruit? there) => cache.GetOrCreateAsync(
        "x",
        async token =>
        {
            Interlocked.Increment(ref _loads);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
            return there is null ? null : new Versioned<Fruit>(1, there);
        },
        _ => Task.FromResult<long?>(there is null ? null : 1), Token);

    private sealed record Fruit(string Name);
}
