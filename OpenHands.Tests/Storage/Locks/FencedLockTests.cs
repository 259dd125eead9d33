using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Locks;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Storage.Locks;

/// <summary>What a holder writes that no longer holds its lock.</summary>
public sealed class FencedLockTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private RedisDatabase _redis = null!;
    private LockReplica _one = null!;
    private LockReplica _two = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _one = new LockReplica(fixture.Database, _redis.Connection);
        _two = new LockReplica(fixture.Database, _redis.Connection);
        await fixture.Database.QueryAsync("CREATE TABLE IF NOT EXISTS written (name text, token bigint); GRANT ALL ON written TO openhands_app");
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task After_FLUSHALL_nothing_is_written_by_the_former_holder_once_the_next_has_passed()
    {
        await using var paused = await AcquireAsync(_one, "flushed");
        Assert.True(await WriteAsync(paused, "flushed"));
        await _redis.FlushAsync();
        await using var next = await AcquireAsync(_two, "flushed");
        Assert.True(next.Token > paused.Token);
        Assert.True(await WriteAsync(next, "flushed"));

        for (var attempt = 0; attempt < 50; attempt++)
            Assert.False(await WriteAsync(paused, "flushed"));
        Assert.True(await WriteAsync(next, "flushed"));
        Assert.Equal([$"{paused.Token}", $"{next.Token}", $"{next.Token}"], await fixture.Database.QueryAsync("SELECT token FROM written WHERE name = 'flushed' ORDER BY ctid"));
    }

    // The draw stands still while the lock changes hands: a number drawn then would be greater than that of who really holds it.
    [Fact]
    public async Task Who_lost_the_lock_around_the_draw_of_the_number_does_not_get_it()
    {
        await using var administrator = new NpgsqlConnection(fixture.Database.Administrator);
        await administrator.OpenAsync(Token);
        await using (var transaction = await administrator.BeginTransactionAsync(Token))
        {
            await using var block = new NpgsqlCommand("ALTER SEQUENCE fencing_tokens CACHE 1", administrator);
            await block.ExecuteNonQueryAsync(Token);
            var key = RedisKeys.Lock("test", "stalled");
            var stalled = _one.Locks.AcquireFencedAsync("test", "stalled", TimeSpan.Zero, cancellationToken: Token);
            await Eventually.TrueAsync("it has the lock and draws", () => _redis.Keys.KeyExistsAsync(key));
            await _redis.Keys.KeyDeleteAsync(key);
            await using var holder = await _two.Locks.TryAcquireAsync("test", "stalled", cancellationToken: Token);
            Assert.NotNull(holder);

            await transaction.CommitAsync(Token);
            await Assert.ThrowsAsync<LockTimeoutException>(() => stalled);
            Assert.True(holder.IsHeld);
        }
    }

    [Fact]
    public async Task Numbers_grow_whoever_draws_them()
    {
        var tokens = new List<long>();
        for (var number = 0; number < 20; number++)
        {
            await using var held = await AcquireAsync(number % 2 == 0 ? _one : _two, "growing");
            tokens.Add(held.Token);
            if (number % 5 == 0)
                await _redis.FlushAsync();
        }

        Assert.Equal(tokens.Distinct().Order(), tokens);
    }

    [Fact]
    public async Task A_fence_is_passed_only_inside_a_transaction()
    {
        await using var held = await AcquireAsync(_one, "outside");
        await using var db = fixture.Database.Open();
        await Assert.ThrowsAsync<InvalidOperationException>(() => held.PassAsync(db, Token));
    }

    [Fact]
    public async Task Without_PostgreSQL_nobody_gets_the_lock_and_it_is_free_again()
    {
        using var closed = new ClosedPort();
        var gone = new TestDatabase($"Host=127.0.0.1;Port={closed.Number};Timeout=1", "gone");
        await using var replica = new LockReplica(gone, _redis.Connection);
        Assert.True(DatabaseAvailability.IsUnavailable(await Record.ExceptionAsync(() => AcquireAsync(replica, "gone"))));
        await using var held = await AcquireAsync(_one, "gone");
        Assert.True(held.IsHeld);
    }

#if !ASPIRE_PACKAGES // starts two Redis of its own
    [Fact]
    public async Task A_failover_that_loses_writes_lets_no_number_come_again_and_no_former_holder_write()
    {
        await using var primary = await RedisTestServer.StartAsync();
        await using var replica = await RedisTestServer.StartAsync();
        await using var before = await ConnectionMultiplexer.ConnectAsync(primary.ConnectionString);
        await using var after = await ConnectionMultiplexer.ConnectAsync(replica.ConnectionString + ",allowAdmin=true");
        await using var link = await FollowAsync(before, after);
        await before.GetDatabase().StringIncrementAsync("counter", 100);
        await Eventually.TrueAsync("the replica has it", async () => await after.GetDatabase().StringGetAsync("counter", CommandFlags.PreferReplica) == 100);
        await link.CloseAsync();

        // Cut off, the replica learns of none of these.
        await using var clients = new LockReplica(fixture.Database, before);
        var tokens = new List<long>();
        var counted = 0L;
        FencedLock paused = null!;
        for (var acquired = 0; acquired < 5; acquired++)
        {
            if (paused is not null)
                await paused.DisposeAsync();
            paused = await AcquireAsync(clients, "failover");
            tokens.Add(paused.Token);
            counted = await before.GetDatabase().StringIncrementAsync("counter");
        }

        Assert.True(await WriteAsync(paused, "failover"));
        await after.GetDatabase().ExecuteAsync("REPLICAOF", "NO", "ONE");
        await using var others = new LockReplica(fixture.Database, after);
        await using var next = await AcquireAsync(others, "failover");
        Assert.True(paused.IsHeld); // the old primary still says so: two hold it, one writes
        Assert.All(tokens, token => Assert.True(token < next.Token));
        Assert.True(await WriteAsync(next, "failover"));
        for (var attempt = 0; attempt < 50; attempt++)
            Assert.False(await WriteAsync(paused, "failover"));

        // Why no counter in Redis is trusted: it gives the numbers once more.
        Assert.Equal(105, counted);
        Assert.Equal(101, await after.GetDatabase().StringIncrementAsync("counter"));
        await paused.DisposeAsync();
    }

    private static async Task<TcpRelay> FollowAsync(ConnectionMultiplexer primary, ConnectionMultiplexer replica)
    {
        var options = ConfigurationOptions.Parse(primary.Configuration);
        var relay = new TcpRelay(((System.Net.DnsEndPoint)options.EndPoints[0]).Port);
        relay.Open();
        var database = replica.GetDatabase();
        await database.ExecuteAsync("CONFIG", "SET", "masterauth", options.Password!);
        await database.ExecuteAsync("REPLICAOF", "127.0.0.1", relay.Port);
        return relay;
    }
#endif

    private static Task<FencedLock> AcquireAsync(LockReplica replica, string id) =>
        replica.Locks.AcquireFencedAsync("test", id, Patience, TimeSpan.FromMinutes(1), Token);

    private async Task<bool> WriteAsync(FencedLock held, string name)
    {
        await using var db = fixture.Database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        try
        {
            await held.PassAsync(db, Token);
        }
        catch (LockLostException)
        {
            return false;
        }

        await db.Database.ExecuteSqlAsync($"INSERT INTO written VALUES ({name}, {held.Token})", Token);
        await transaction.CommitAsync(Token);
        return true;
    }
}
