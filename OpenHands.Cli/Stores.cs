using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;
using StackExchange.Redis;

namespace OpenHands.Cli;

/// <summary>The stores of the platform, working for one user as they do in the API: policies, audit and caches included.</summary>
internal sealed class Stores : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly AsyncServiceScope _scope;

    private Stores(ServiceProvider services)
    {
        _services = services;
        _scope = services.CreateAsyncScope();
    }

    /// <summary>The database, as the user sees it.</summary>
    public OpenHandsDb Db => Get<OpenHandsDb>();

    /// <summary>For whom they work.</summary>
    public TenantContext Tenant => Get<TenantContext>();

    /// <summary>Opens them for a user and perhaps an organization.</summary>
    public static async Task<Stores> OpenAsync(Installation installation, string userId, string? organizationId)
    {
        var services = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddScoped<TenantContext>()
            .AddScoped(scope => Open(installation.App, scope.GetRequiredService<TenantContext>()))
            .AddSingleton(_ => installation.Keys)
            .AddSingleton(_ => new TenantKeys(installation.Configuration, TimeProvider.System))
            .AddSingleton<SecretCipher>()
            .AddSingleton(_ => new DatabasePool(installation.App))
            .AddSingleton<AuditLog>()
            .AddSingleton<KnownUsers>()
            .AddSingleton(provider => new LeaseCache(new RedisGate(provider, TimeProvider.System, NullLogger<RedisGate>.Instance), TimeProvider.System))
            .AddSingleton<SecretCache>();
        if (installation.Redis is { } redis)
        {
            var options = ConfigurationOptions.Parse(redis);
            options.AbortOnConnectFail = false; // the stores go on without it
            services.AddSingleton<IConnectionMultiplexer>(await ConnectionMultiplexer.ConnectAsync(options));
        }

        var stores = new Stores(services.BuildServiceProvider());
        stores.Tenant.Enter(userId, organizationId);
        stores.Tenant.Origin = new AuditOrigin(null, null, "openhands-cli");
        return stores;
    }

    /// <summary>A service of the platform, made with these.</summary>
    public T Get<T>()
        where T : notnull => ActivatorUtilities.GetServiceOrCreateInstance<T>(_scope.ServiceProvider);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        await _services.DisposeAsync();
    }

    private static OpenHandsDb Open(string connectionString, TenantContext tenant)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(connectionString).UseOpenHandsDb();
        return new OpenHandsDb(options.Options) { Tenant = tenant.UserId is null ? null : tenant };
    }
}
