using System.Collections.Concurrent;
using System.Net;
using OpenHands.Storage.Caching;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.Caching;

/// <summary>
/// Readers and writers of twenty rows through three replicas, while connections to Redis are cut, everything in it is lost now and
/// then, and loading and committing take as long as they like: what does anybody read that is older than an acknowledged write?
/// </summary>
public sealed class CacheCheckerTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    // Redis takes the age by its wall clock, in whole milliseconds; here time is taken by another clock.
    private static readonly TimeSpan Clocks = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_reads_what_is_older_than_an_acknowledged_write_or_than_two_seconds_where_the_writer_has_no_Redis()
    {
        var operations = Environment.GetEnvironmentVariable("TEST_SCALE") == "1" ? 200_000 : 20_000;
        await using var redis = await redisServer.CreateDatabaseAsync();
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Replica.StartAsync(fixture.Database, redis)));
        var rows = Enumerable.Range(0, 20).Select(number => new Row($"{number}")).ToArray();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var trouble = MakeTroubleAsync(redis, replicas, done.Token);
        var (early, late, strict, loose) = (0, 0, 0, 0);
        await Parallel.ForAsync(0, operations, new ParallelOptions { MaxDegreeOfParallelism = 24, CancellationToken = Token }, async (number, token) =>
        {
            var random = new Random(number);
            var (row, cache) = (rows[random.Next(rows.Length)], replicas[random.Next(replicas.Length)].Cache);
            if (random.Next(10) == 0)
            {
                _ = await row.WriteAsync(cache, random, token) ? Interlocked.Increment(ref strict) : Interlocked.Increment(ref loose);
                return;
            }

            var expected = row.Expectation();
            var read = await cache.GetOrCreateAsync(
                row.Id, load => row.LoadAsync(random, load), random.Next(4) == 0 ? null : _ => Task.FromResult<long?>(row.Version), token);
            if (read!.Number < expected.Strict)
                Interlocked.Increment(ref early);
            if (read.Number < expected.Loose)
                Interlocked.Increment(ref late);
        });
        await done.CancelAsync();
        await trouble;
        foreach (var replica in replicas)
            await replica.DisposeAsync();
        foreach (var row in rows)
            row.Dispose();

        Assert.Equal((0, 0), (early, late));
        // Both kinds of writes must have been seen, or nothing was tried.
        Assert.True(strict > operations / 50 && loose > operations / 1000, $"{strict} writes reached Redis, {loose} did not");
    }

    private static async Task MakeTroubleAsync(RedisDatabase redis, Replica[] replicas, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(500, 1500)), TimeProvider.System, cancellationToken);
                if (random.Next(3) == 0)
                    await redis.FlushAsync();
                var replica = replicas[random.Next(replicas.Length)];
                await replica.Relay.CloseAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 200)), TimeProvider.System, cancellationToken);
                replica.Relay.Open();
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    private sealed record State(long Number);

    /// <summary>The cache of one replica, on a connection that can be cut.</summary>
    private sealed class Replica(TcpRelay relay, ConnectionMultiplexer connection, Caches caches) : IAsyncDisposable
    {
        public TcpRelay Relay => relay;

        public ResourceCache<State> Cache { get; } = new(caches.Entries, "test", TimeSpan.FromMinutes(1));

        public static async Task<Replica> StartAsync(TestDatabase database, RedisDatabase redis)
        {
            var options = ConfigurationOptions.Parse(redis.ConnectionString);
            var relay = new TcpRelay(((DnsEndPoint)options.EndPoints[0]).Port);
            relay.Open();
            options.EndPoints[0] = new DnsEndPoint("127.0.0.1", relay.Port);
            options.AbortOnConnectFail = false;
            options.ReconnectRetryPolicy = new LinearRetry(50);
            var connection = await ConnectionMultiplexer.ConnectAsync(options);
            return new Replica(relay, connection, new Caches(database, connection));
        }

        public async ValueTask DisposeAsync()
        {
            await caches.DisposeAsync();
            await connection.DisposeAsync();
            await relay.DisposeAsync();
        }
    }

    /// <summary>A row of a database whose transactions lock it, and take a while.</summary>
    private sealed class Row(string id) : IDisposable
    {
        private readonly SemaphoreSlim _lock = new(1);
        private readonly ConcurrentQueue<(long Number, long At)> _loose = new();
        private long _version = 1;
        private long _strict = 1;
        private long _due = 1;

        public string Id => id;

        public void Dispose() => _lock.Dispose();

        public long Version => Volatile.Read(ref _version);

        /// <summary>What a read that begins now must show at least: what was acknowledged by who reached Redis, and what anybody acknowledged long ago.</summary>
        public (long Strict, long Loose) Expectation()
        {
            while (_loose.TryPeek(out var oldest) && TimeProvider.System.GetElapsedTime(oldest.At) > Bound + Clocks && _loose.TryDequeue(out oldest))
                Raise(ref _due, oldest.Number);
            return (Volatile.Read(ref _strict), Volatile.Read(ref _due));
        }

        public async Task<Versioned<State>?> LoadAsync(Random random, CancellationToken cancellationToken)
        {
            var version = Version;
            await PauseAsync(random, cancellationToken);
            return new Versioned<State>(version, new State(version));
        }

        /// <summary>Writes and acknowledges, or is killed after COMMIT.</summary>
        /// <returns>Whether Redis knows.</returns>
        public async Task<bool> WriteAsync(ResourceCache<State> cache, Random random, CancellationToken cancellationToken)
        {
            var version = 0L;
            var isKilled = random.Next(20) == 0;
            await _lock.WaitAsync(cancellationToken);
            var isLocked = true;
            try
            {
                await PauseAsync(random, cancellationToken);
                var isKnown = await cache.SetAsync(
                    id,
                    async token =>
                    {
                        await PauseAsync(random, token);
                        version = Version + 1;
                        Volatile.Write(ref _version, version);
                        isLocked = false;
                        _lock.Release();
                        await PauseAsync(random, token);
                        return isKilled || random.Next(4) == 0 ? null : new Versioned<State>(version, new State(version));
                    },
                    cancellationToken);
                if (isKnown)
                    Raise(ref _strict, version);
                else
                    _loose.Enqueue((version, TimeProvider.System.GetTimestamp()));
                return isKnown;
            }
            finally
            {
                if (isLocked)
                    _lock.Release();
            }
        }

        private static void Raise(ref long number, long to)
        {
            long seen;
            while ((seen = Volatile.Read(ref number)) < to && Interlocked.CompareExchange(ref number, to, seen) != seen)
            {
            }
        }

        // Mostly none, sometimes a little, seldom longer than a lease holds.
        private static Task PauseAsync(Random random, CancellationToken cancellationToken) => random.Next(5000) switch
        {
            0 => Task.Delay(TimeSpan.FromSeconds(3.2), TimeProvider.System, cancellationToken),
            < 20 => Task.Delay(TimeSpan.FromMilliseconds(random.Next(500)), TimeProvider.System, cancellationToken),
            < 500 => Task.Delay(TimeSpan.FromMilliseconds(random.Next(5)), TimeProvider.System, cancellationToken),
            _ => Task.CompletedTask,
        };
    }
}
