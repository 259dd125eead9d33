using OpenHands.Storage.Caching;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.Caching;

/// <summary>The interleavings of readers, writers and losses that a cache must survive.</summary>
public sealed class LeaseCacheTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private static readonly RedisKey Key = "session:x";
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private RedisDatabase _redis = null!;
    private Caches _one = null!;
    private Caches _two = null!;

    // The row in the database.
    private CacheEntry? _row = new(1, "first");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _one = new Caches(fixture.Database, _redis.Connection);
        _two = new Caches(fixture.Database, _redis.Connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_hundred_readers_of_two_replicas_load_once()
    {
        var loads = 0;
        var release = new TaskCompletionSource();
        var readers = Enumerable.Range(0, 100).Select(number => (number % 2 == 0 ? _one : _two).Entries.GetAsync(Key, Lifetime, async _ =>
        {
            Interlocked.Increment(ref loads);
            await release.Task;
            return _row;
        }, VersionAsync, Token)).ToList();
        await Eventually.TrueAsync("one of them loads", () => Volatile.Read(ref loads) > 0);
        release.SetResult();
        Assert.All(await Task.WhenAll(readers), entry => Assert.Equal(_row, entry));
        Assert.Equal(1, loads);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_loaded_before_a_write_fills_nothing_after_it_even_after_FLUSHALL(bool flush)
    {
        var loaded = new TaskCompletionSource();
        var written = new TaskCompletionSource();
        var slow = _one.Entries.GetAsync(Key, Lifetime, async _ =>
        {
            var old = _row;
            loaded.SetResult();
            await written.Task;
            return old;
        }, VersionAsync, Token);
        await loaded.Task;
        await WriteAsync(_two, new CacheEntry(2, "second"));
        if (flush)
            await _redis.FlushAsync();
        written.SetResult();
        await slow; // it began before the write was acknowledged: what it answers may be either

        Assert.Equal("second", (await ReadAsync(_one))?.Payload);
        Assert.Equal("second", (await ReadAsync(_two))?.Payload);
    }

    [Fact]
    public async Task A_writer_that_dies_between_commit_and_the_end_of_its_write_leaves_nothing_old()
    {
        Assert.Equal("first", (await ReadAsync(_one))?.Payload);
        await _two.Entries.BlockAsync(Key, Token);
        _row = new CacheEntry(2, "second"); // and it is dead
        Assert.Equal("second", (await ReadAsync(_one))?.Payload);

        // While its marker stands, nobody fills; then it is gone by itself.
        Assert.StartsWith("M", await _redis.Keys.StringGetAsync(Key));
        Assert.InRange(await _redis.Keys.KeyTimeToLiveAsync(Key) ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Of_two_writers_the_last_to_end_puts_nothing_older_than_the_other_wrote()
    {
        var first = await _one.Entries.BlockAsync(Key, Token);
        var second = await _two.Entries.BlockAsync(Key, Token);
        _row = new CacheEntry(3, "third");
        await _two.Entries.FinishAsync(second, _row, Lifetime);
        Assert.Equal("third", (await ReadAsync(_one))?.Payload);
        await _one.Entries.FinishAsync(first, new CacheEntry(2, "second"), Lifetime);
        Assert.Equal("third", (await ReadAsync(_one))?.Payload);
        Assert.Equal("third", (await ReadAsync(_two))?.Payload);
    }

    // A deletion beside a change: the change must not bring back what is deleted.
    [Fact]
    public async Task Of_two_writers_none_puts_anything_when_the_other_kept_nothing()
    {
        var first = await _one.Entries.BlockAsync(Key, Token);
        var second = await _two.Entries.BlockAsync(Key, Token);
        await _two.Entries.FinishAsync(second, null, Lifetime);
        await _one.Entries.FinishAsync(first, new CacheEntry(2, "second"), Lifetime);
        Assert.Empty(await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task The_new_state_is_there_after_a_write_without_a_load()
    {
        await WriteAsync(_one, new CacheEntry(2, "second"));
        Assert.Equal("second", (await _two.Entries.GetAsync(Key, Lifetime, _ => throw new InvalidOperationException("loaded"), VersionAsync, Token))?.Payload);
    }

    [Fact]
    public async Task A_write_without_Redis_is_seen_by_the_others_within_two_seconds()
    {
        Assert.Equal("first", (await ReadAsync(_one))?.Payload);
        await using var cutOff = new Caches(fixture.Database);
        await WriteAsync(cutOff, new CacheEntry(2, "second"));
        await AgeAsync(TimeSpan.FromMilliseconds(2001));
        Assert.Equal("second", (await ReadAsync(_one))?.Payload);
        Assert.Equal("second", (await ReadAsync(_two))?.Payload);
    }

    [Fact]
    public async Task What_is_no_longer_young_but_right_is_young_again()
    {
        await ReadAsync(_one);
        await AgeAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("first", (await _one.Entries.GetAsync(Key, Lifetime, _ => throw new InvalidOperationException("loaded"), VersionAsync, Token))?.Payload);
        Assert.Equal("first", (await _one.Entries.GetAsync(
            Key, Lifetime, _ => throw new InvalidOperationException("loaded"), _ => throw new InvalidOperationException("asked"), Token))?.Payload);
    }

    [Fact]
    public async Task What_a_reader_may_not_see_is_not_kept_for_others()
    {
        Assert.Null(await _one.Entries.GetAsync(Key, Lifetime, _ => Task.FromResult<CacheEntry?>(null), VersionAsync, Token));
        Assert.Empty(await _redis.AllKeysAsync());
        Assert.Equal("first", (await ReadAsync(_two))?.Payload);
    }

    [Fact]
    public async Task A_load_that_fails_gives_its_lease_back()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _one.Entries.GetAsync(Key, Lifetime, _ => throw new InvalidOperationException("down"), VersionAsync, Token));
        Assert.Empty(await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task Every_key_has_an_end()
    {
        await ReadAsync(_one);
        Assert.InRange(await _redis.Keys.KeyTimeToLiveAsync(Key) ?? TimeSpan.Zero, TimeSpan.FromSeconds(30), Lifetime);
        await _one.Entries.BlockAsync(Key, Token);
        var second = await _one.Entries.BlockAsync(Key, Token);
        await _one.Entries.FinishAsync(second, new CacheEntry(2, "second"), Lifetime);
        Assert.NotNull(await _redis.Keys.KeyTimeToLiveAsync(Key));
    }

    // A row may be replaced by somebody without Redis while it is loaded, or between COMMIT and the end of a write.
    [Fact]
    public async Task An_entry_is_as_old_as_what_was_known_before_it_was_loaded_or_written()
    {
        var during = "";
        await _one.Entries.GetAsync(Key, Lifetime, async _ =>
        {
            during = (string)(await _redis.Keys.StringGetAsync(Key))!;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Token);
            return _row;
        }, VersionAsync, Token);
        Assert.Equal($"V{during.Split(' ')[1]} 1 first", await _redis.Keys.StringGetAsync(Key));

        var write = await _one.Entries.BlockAsync(Key, Token);
        during = (string)(await _redis.Keys.StringGetAsync(Key))!;
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Token);
        await _one.Entries.FinishAsync(write, new CacheEntry(2, "second"), Lifetime);
        Assert.Equal($"V{during.Split(' ')[1]} 2 second", await _redis.Keys.StringGetAsync(Key));
    }

    [Fact]
    public async Task An_entry_from_a_time_to_come_is_not_believed()
    {
        await ReadAsync(_one);
        await AgeAsync(TimeSpan.FromMinutes(-5)); // as after a failover to a machine whose clock is behind
        _row = new CacheEntry(2, "second");
        Assert.Equal("second", (await ReadAsync(_one))?.Payload);
    }

    private Task<CacheEntry?> ReadAsync(Caches caches) => caches.Entries.GetAsync(Key, Lifetime, _ => Task.FromResult(_row), VersionAsync, Token);

    private Task<long?> VersionAsync(CancellationToken cancellationToken) => Task.FromResult(_row?.Version);

    private async Task WriteAsync(Caches caches, CacheEntry entry)
    {
        var write = await caches.Entries.BlockAsync(Key, Token);
        _row = entry;
        await caches.Entries.FinishAsync(write, entry, Lifetime);
    }

    // As if the entry had been put that much earlier.
    private async Task AgeAsync(TimeSpan age)
    {
        var parts = ((string)(await _redis.Keys.StringGetAsync(Key))!).Split(' ', 2);
        await _redis.Keys.StringSetAsync(Key, $"V{long.Parse(parts[0][1..]) - (long)age.TotalMilliseconds} {parts[1]}", Lifetime);
    }
}
