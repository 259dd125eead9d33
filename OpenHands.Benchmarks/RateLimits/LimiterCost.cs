using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage.Caching;
using OpenHands.Storage.RateLimits;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.RateLimits;

/// <summary>What a decision of the limiter costs, beside a bare EVALSHA, one that counts a fixed window, and npm's rate-limiter-flexible.</summary>
internal static class LimiterCost
{
    private const int Decisions = 40_000;
    private const int WarmUps = 2;

    /// <summary>Runs the benchmark on a throw-away Redis. Without node and the packages of OpenHands.Benchmarks/npm, the last is left out.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        await using var redis = await BenchmarkRedis.StartAsync(cancellationToken);
        await using var services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(redis.Connection).BuildServiceProvider();
        var gate = new RedisGate(services, TimeProvider.System, NullLogger<RedisGate>.Instance) { Patience = TimeSpan.FromSeconds(30) };
        using var replicas = new ReplicaCount(gate, TimeProvider.System);
        var limiter = new RateLimiter(gate, new LocalLimits(replicas, TimeProvider.System));
        var keys = redis.Connection.GetDatabase();
        var nothing = await LoadAsync(keys, "return 1");
        var counting = await LoadAsync(keys, "local count = redis.call('INCRBY', KEYS[1], ARGV[1]) if count == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return count");
        var minute = TimeSpan.FromMinutes(1);
        var (exact, wide) = (new RateLimitPolicy("exact", 100, minute), new RateLimitPolicy("wide", 1_000_000, minute));
        LimitedCaller[][] three =
            [.. Enumerable.Range(0, 64).Select(worker => new[] { "user", "api-key", "organization" }.Select(name => new LimitedCaller(wide with { Name = name }, $"{worker}")).ToArray())];

        var contest = new Contest("Rate limits", redis, warmUps: WarmUps)
            .Add(Contestant.Parallel("bare EVALSHA: return 1", Decisions, worker => keys.ScriptEvaluateAsync(nothing, [$"bare:{worker}"], [1, 60_000])))
            .Add(Contestant.Parallel("bare EVALSHA: fixed window, INCRBY and PEXPIRE", Decisions, worker => keys.ScriptEvaluateAsync(counting, [$"fixed:{worker}"], [1, 60_000])))
            .Add(Contestant.Parallel("RateLimiter, one policy above 100 (counter)", Decisions, worker => limiter.TakeAsync([new LimitedCaller(wide, $"{worker}")], 1, cancellationToken)))
            .Add(Contestant.Parallel("RateLimiter, one policy of 100 (log), most refused", Decisions, worker => limiter.TakeAsync([new LimitedCaller(exact, $"{worker}")], 1, cancellationToken)))
            .Add(Contestant.Parallel("RateLimiter, three policies in one call", Decisions, worker => limiter.TakeAsync(three[worker], 1, cancellationToken)));
        var missing = "";
        if (Directory.Exists(Path.Combine(Checkout.Npm, "node_modules")))
        {
            var node = new NodeCpu();
            contest.Add(new Contestant("rate-limiter-flexible (npm)", Decisions, token => ConsumeAsync(redis, node, token)) { Cpu = () => node.Total });
        }
        else
        {
            missing = "rate-limiter-flexible was left out: npm install --prefix OpenHands.Benchmarks/npm\n";
        }

        var table = await contest.RunAsync(cancellationToken);
        // Afterwards, since a Redis that never waits does its commands one by one, each with its own wake-up.
        var isAlone = await redis.TakeProcessorAsync(cancellationToken);
        var commands = await contest.RepeatAsync(cancellationToken);
        return $"{table}{missing}Of {commands} more, longer than 1 ms {(isAlone ? "while nobody took the processor from Redis" : "with waits for a processor")}: {await redis.SlowCommandsAsync()}\n";
    }

    private static async Task<byte[]> LoadAsync(IDatabase keys, string script) =>
        Convert.FromHexString((string)(await keys.ExecuteAsync("SCRIPT", "LOAD", script))!);

    private static async Task ConsumeAsync(BenchmarkRedis redis, NodeCpu node, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Checkout.Npm, "limiter.mjs"), $"{redis.Port}", $"{Decisions}"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(redis.Password);
        process.StandardInput.Close();
        var microseconds = double.Parse(await process.StandardOutput.ReadToEndAsync(cancellationToken), CultureInfo.InvariantCulture);
        await process.WaitForExitAsync(cancellationToken);
        node.Total += TimeSpan.FromMicroseconds(microseconds);
    }

    // Without the start of node.
    private sealed class NodeCpu
    {
        public TimeSpan Total { get; set; }
    }
}
