using System.Globalization;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Cli.Diagnosis;

/// <summary>What is looked at in Redis.</summary>
internal sealed class RedisChecks(Work work)
{
    private const int MostQueues = 100;
    private const long LongQueue = 10_000;
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(2);

    /// <summary>How many processes of the API say that they are there; null while that is not known.</summary>
    public int? Apis { get; private set; }

    /// <summary>Looks at everything.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        if (work.Installation.Redis is not { } connectionString)
            return [new Check("redis", CheckState.Skipped, "No connection string redis is given: set ConnectionStrings__redis.")];
        try
        {
            var options = ConfigurationOptions.Parse(connectionString);
            options.AllowAdmin = true; // to read its configuration
            options.AbortOnConnectFail = true;
            await using var redis = await ConnectionMultiplexer.ConnectAsync(options);
            var server = redis.GetServers()[0];
            cancellationToken.ThrowIfCancellationRequested();
            Apis = (int)await redis.GetDatabase().SortedSetLengthAsync(RedisKeys.Replicas, work.Time.GetUtcNow().ToUnixTimeMilliseconds());
            return [new Check("redis", CheckState.Ok, $"Redis {server.Version}"), await ClockAsync(server), await EvictionAsync(server), await QueuesAsync(redis, server)];
        }
        catch (Exception failure) when (failure is RedisException or ArgumentException)
        {
            return [new Check("redis", CheckState.Failed, $"Redis cannot be used: {(failure is RedisConnectionException lost ? lost.FailureType.ToString() : failure.GetType().Name)}. The API goes on without it, slower; queues wait.")];
        }
    }

    private async Task<Check> ClockAsync(IServer server)
    {
        var skew = (new DateTimeOffset(await server.TimeAsync(), TimeSpan.Zero) - work.Time.GetUtcNow()).Duration();
        return Check.Of("clock of redis", skew < ClockTolerance, "This machine and Redis agree.", string.Create(CultureInfo.InvariantCulture, $"This machine and Redis differ by {skew.TotalSeconds:F1} s: run a time service on both."), CheckState.Warning);
    }

    private static async Task<Check> EvictionAsync(IServer server)
    {
        var policy = (await server.InfoAsync("memory")).SelectMany(group => group).FirstOrDefault(entry => entry.Key == "maxmemory_policy").Value;
        return Check.Of("eviction policy", policy is "noeviction", "noeviction", $"Redis runs with {policy}: it may throw away tasks. Set maxmemory-policy noeviction.");
    }

    private static async Task<Check> QueuesAsync(ConnectionMultiplexer redis, IServer server)
    {
        var database = redis.GetDatabase();
        var lengths = new List<(string Queue, long Length)>();
        await foreach (var key in server.KeysAsync(database.Database, RedisKeys.QueuePrefix + "*"))
        {
            lengths.Add((key.ToString(), await database.KeyTypeAsync(key) == RedisType.List ? await database.ListLengthAsync(key) : 0));
            if (lengths.Count == MostQueues)
                break;
        }

        var text = lengths.Count == 0 ? "All queues are empty." : string.Join(", ", lengths.Select(queue => string.Create(CultureInfo.InvariantCulture, $"{queue.Queue} {queue.Length}")));
        return Check.Of("queues", lengths.All(queue => queue.Length < LongQueue), text, $"{text}: workers do not keep up; run more of them or raise Worker:Concurrency.", CheckState.Warning);
    }
}
