#if !ASPIRE_PACKAGES // its process is guarded by the embedded host
using System.Threading.Channels;
using OpenHands.Benchmarks.Chaos;
using OpenHands.Benchmarks.Locks;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Locks;

/// <summary>A holder whose whole process is stopped, for three times as long as its lock lives.</summary>
public sealed class StoppedHolderTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private RedisDatabase _redis = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        await fixture.Database.QueryAsync(
            "CREATE TABLE written_under_lock (number bigserial, token bigint); GRANT ALL ON written_under_lock, written_under_lock_number_seq TO openhands_app");
    }

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task A_process_that_was_stopped_writes_nothing_more_and_is_told_that_its_lock_is_lost()
    {
        var said = Channel.CreateUnbounded<string>();
        await using var holder = ChaosProcess.Start(
            [LockHolder.Verb, fixture.Database.App, _redis.ConnectionString, "stopped", $"{Lifetime.TotalMilliseconds}"], line => said.Writer.TryWrite(line));
        Assert.Equal("held", await NextAsync());
        Assert.Equal("written", await NextAsync());

        await ChaosProcess.SignalAsync("STOP", await holder.Id);
        var stopped = TimeProvider.System.GetTimestamp();
        await using var replica = new LockReplica(fixture.Database, _redis.Connection);
        await using var next = await replica.Locks.AcquireFencedAsync("process", "stopped", Patience, cancellationToken: Token);
        Assert.True(await LockHolder.WriteAsync(fixture.Database.App, next));
        // The stop itself is what is tried.
        var left = (3 * Lifetime) - TimeProvider.System.GetElapsedTime(stopped);
        await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, TimeProvider.System, Token);
        await ChaosProcess.SignalAsync("CONT", await holder.Id);

        Assert.Equal(["lost", "refused"], new[] { await NextAsync(), await NextAsync() }.Order());
        Assert.Equal(["1"], await fixture.Database.QueryAsync($"SELECT count(*) FROM written_under_lock WHERE token = {next.Token}"));
        Assert.Equal(
            ["0"],
            await fixture.Database.QueryAsync(
                $"SELECT count(*) FROM written_under_lock WHERE token < {next.Token} AND number > (SELECT number FROM written_under_lock WHERE token = {next.Token})"));
        Assert.True(next.IsHeld);

        async Task<string> NextAsync() => await said.Reader.ReadAsync(Token).AsTask().WaitAsync(Patience, Token);
    }
}
#endif
