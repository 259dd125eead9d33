using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage.Locks;
using StackExchange.Redis;

namespace OpenHands.Tests.Support;

/// <summary>The locks of one replica, on a Redis connection of its own.</summary>
internal sealed class LockReplica : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public LockReplica(TestDatabase database, IConnectionMultiplexer redis)
    {
        _services = new ServiceCollection().AddSingleton(redis).BuildServiceProvider();
        Locks = new RedisLocks(
            _services, new FencingTokens(database.Pool), TimeProvider.System, NullLogger<RedisLocks>.Instance);
    }

    public RedisLocks Locks { get; }

    public async ValueTask DisposeAsync()
    {
        Locks.Dispose();
        await _services.DisposeAsync();
    }
}
