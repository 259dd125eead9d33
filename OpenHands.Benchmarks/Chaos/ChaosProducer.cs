using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Queues;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>Stands for the API: enqueues tasks and says the key of each, one per line, once it is acknowledged. It may be killed at any moment.</summary>
internal static class ChaosProducer
{
    /// <summary>Its verb.</summary>
    public const string Verb = "chaos-producer";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(15);

    /// <summary>Runs until it is killed.</summary>
    /// <param name="args">Connection string of the system role, and of Redis.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(args[1] + ",abortConnect=false");
        await using var services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(redis).BuildServiceProvider();
        await using var database = new QueueDatabase(args[0], args[0]);
        var window = new QueueWindow(services, new RedisGate(services, TimeProvider.System, NullLogger<RedisGate>.Instance));
        var queue = new SystemTaskQueue(database, window, TimeProvider.System);
        var prefix = Guid.CreateVersion7().ToString("N");
        for (var i = 0; ; i++)
        {
            await EnqueueAsync(queue, $"{prefix}-{i}", 20 + (i % 7 * 20));
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    // The answer to an attempt may be lost: under the same idempotency key, trying again makes no second task.
    private static async Task EnqueueAsync(SystemTaskQueue queue, string key, int milliseconds)
    {
        while (true)
        {
            try
            {
                var task = new NewTask("chaos", EffectHandler.Type, new JsonObject { ["key"] = key, ["ms"] = milliseconds })
                {
                    IdempotencyKey = key,
                    FairnessKey = key[^1..],
                };
                await queue.EnqueueAsync([task], CancellationToken.None);
                Console.WriteLine(key);
                return;
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
            }
        }
    }
}
