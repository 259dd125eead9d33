using Medallion.Threading.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage.Locks;
using OpenHands.Storage.Postgres;
using RedLockNet.SERedis;
using RedLockNet.SERedis.Configuration;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Locks;

/// <summary>What taking and releasing a free lock costs: ours, plain and fenced, beside DistributedLock.Redis, RedLock.net and a bare nextval.</summary>
internal static class LockCost
{
    private const int Pairs = 20_000;
    private const int Draws = 6_400;
    private const int WarmUps = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs the benchmark on a throw-away Redis and PostgreSQL.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        await using var redis = await BenchmarkRedis.StartAsync(cancellationToken);
        await using var postgres = await BenchmarkDatabase.StartAsync(cancellationToken);
        var app = postgres.App + ";Timeout=30;Command Timeout=30"; // a busy machine is no lost database
        var keys = redis.Connection.GetDatabase();
        await using var services = new ServiceCollection()
            .AddSingleton<IConnectionMultiplexer>(redis.Connection)
            .BuildServiceProvider();
        using var locks = new RedisLocks(
            services, new FencingTokens(new DatabasePool(DatabaseConnection.WithBounds(app))), TimeProvider.System, NullLogger<RedisLocks>.Instance);
        using var redlock = RedLockFactory.Create([new RedLockMultiplexer(redis.Connection)]);
        await using var source = NpgsqlDataSource.Create(DatabaseConnection.WithBounds(app));

        return await new Contest("Locks", redis, warmUps: WarmUps)
            .Add(Contestant.Parallel("RedisLocks", Pairs, async worker =>
            {
                await using var held = await locks.AcquireAsync("ours", $"{worker}", Patience, cancellationToken: cancellationToken);
            }))
            .Add(Contestant.Parallel("DistributedLock.Redis", Pairs, async worker =>
            {
                await using var held = await new RedisDistributedLock($"theirs:{worker}", keys).AcquireAsync(Patience, cancellationToken);
            }))
            .Add(Contestant.Parallel("RedLock.net", Pairs, async worker =>
            {
                await using var held = await redlock.CreateLockAsync($"red:{worker}", TimeSpan.FromSeconds(10));
            }))
            .Add(Contestant.Parallel("RedisLocks, fenced", Draws, async worker =>
            {
                await using var held = await locks.AcquireFencedAsync("fenced", $"{worker}", Patience, cancellationToken: cancellationToken);
            }))
            .Add(Contestant.Parallel("bare nextval (Npgsql)", Draws, async _ =>
            {
                await using var command = source.CreateCommand("SELECT nextval('fencing_tokens')");
                await command.ExecuteScalarAsync(cancellationToken);
            }))
            .RunAsync(cancellationToken);
    }
}
