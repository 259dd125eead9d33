using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage.Caching;
using OpenHands.Storage.RateLimits;
using StackExchange.Redis;

namespace OpenHands.Tests.Support;

/// <summary>The limiter of one replica; without a Redis connection, one that is cut off.</summary>
internal sealed class LimiterReplica : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public LimiterReplica(IConnectionMultiplexer? redis, TimeProvider? time = null, ReplicaCount? replicas = null)
    {
        var services = new ServiceCollection();
        if (redis is not null)
            services.AddSingleton(redis);
        _services = services.BuildServiceProvider();
        var gate = new RedisGate(_services, TimeProvider.System, NullLogger<RedisGate>.Instance) { Patience = TimeSpan.FromSeconds(30) };
        Replicas = replicas ?? new ReplicaCount(gate, TimeProvider.System);
        Limiter = new RateLimiter(gate, new LocalLimits(Replicas, time ?? TimeProvider.System));
    }

    public RateLimiter Limiter { get; }

    public ReplicaCount Replicas { get; }

    public async ValueTask DisposeAsync()
    {
        Replicas.Dispose();
        await _services.DisposeAsync();
    }
}
