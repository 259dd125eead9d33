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

    // Three replicas, of which one loses Redis now and then, random delays, FLUSHALL: what was acknowledged is what is read.
    [Fact]
    public async Task Twenty_thousand_mixed_reads_and_writes_show_nothing_older_than_an_acknowledged_write()
    {
        var operations = Environment.GetEnvironmentVariable("TEST_SCALE") == "1" ? 200_000 : 20_000;
        await using var three = new Caches(fixture.Database, _redis.Connection);
        Caches[] replicas = [_one, _two, three];
        var rows = Enumerable.Range(0, 20).Select(number => new Row($"session:{number}")).ToArray();
        var wrong = 0;
        await Parallel.ForAsync(0, operations, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Token }, async (number, token) =>
        {
            var random = new Random(number);
            var (row, cache) = (rows[random.Next(rows.Length)], replicas[random.Next(replicas.Length)].Entries);
            if (number % 2_000 == 1_999)
                await _redis.FlushAsync();
            if (random.Next(10) == 0)
            {
                await row.WriteAsync(cache, random, token);
                return;
            }

            var acknowledged = row.Acknowledged;
            var read = await cache.GetAsync(row.Key, Lifetime, _ => row.LoadAsync(random), _ => Task.FromResult<long?>(row.Version), token);
            if (read!.Version < acknowledged)
                Interlocked.Increment(ref wrong);
        });
        Assert.Equal(0, wrong);
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

    // A row of a database whose transactions lock it, and take a while.
    private sealed class Row(RedisKey key) : IDisposable
    {
        private readonly SemaphoreSlim _lock = new(1);
        private long _version = 1;
        private long _acknowledged;

        public RedisKey Key => key;

        public long Version => Volatile.Read(ref _version);

        public long Acknowledged => Volatile.Read(ref _acknowledged);

        public async Task<CacheEntry?> LoadAsync(Random random)
        {
            var version = Version;
            await PauseAsync(random);
            return new CacheEntry(version, $"state {version}");
        }

        public async Task WriteAsync(LeaseCache cache, Random random, CancellationToken cancellationToken)
        {
            long version;
            CacheWrite write;
            await _lock.WaitAsync(cancellationToken);
            try
            {
                version = Version + 1;
                await PauseAsync(random);
                write = await cache.BlockAsync(Key, cancellationToken);
                Volatile.Write(ref _version, version);
            }
            finally
            {
                _lock.Release();
            }

            await PauseAsync(random);
            if (random.Next(20) == 0)
                return; // killed: nothing was acknowledged, and nothing old may be left
            await cache.FinishAsync(write, new CacheEntry(version, $"state {version}"), Lifetime);
            long seen;
            while ((seen = Acknowledged) < version && Interlocked.CompareExchange(ref _acknowledged, version, seen) != seen)
            {
            }
        }

        public void Dispose() => _lock.Dispose();

        private static async Task PauseAsync(Random random)
        {
            for (var turn = random.Next(4); turn > 0; turn--)
                await Task.Yield();
        }
    }
}
