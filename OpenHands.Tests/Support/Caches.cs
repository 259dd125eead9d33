using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Sessions;
using StackExchange.Redis;

namespace OpenHands.Tests.Support;

/// <summary>The caches of one replica, on a connection of its own; without one, a replica that has no Redis.</summary>
internal sealed class Caches : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public Caches(TestDatabase database, IConnectionMultiplexer? redis = null, TimeProvider? time = null)
    {
        var services = new ServiceCollection().AddScoped(_ => database.Open());
        if (redis is not null)
            services.AddSingleton(redis);
        _services = services.BuildServiceProvider();
        Entries = new LeaseCache(new RedisGate(_services, TimeProvider.System, NullLogger<RedisGate>.Instance) { Patience = TimeSpan.FromSeconds(10) }, TimeProvider.System);
        Sessions = new SessionCache(Entries);
        Secrets = new SecretCache(Entries);
        Accesses = new SessionAccesses(_services.GetRequiredService<IServiceScopeFactory>(), time ?? TimeProvider.System, NullLogger<SessionAccesses>.Instance);
    }

    public LeaseCache Entries { get; }

    public SessionCache Sessions { get; }

    public SecretCache Secrets { get; }

    public SessionAccesses Accesses { get; }

    public async ValueTask DisposeAsync()
    {
        Accesses.Dispose();
        await _services.DisposeAsync();
    }
}
