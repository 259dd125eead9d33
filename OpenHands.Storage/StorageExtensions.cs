using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Idempotency;
using OpenHands.Storage.Invitations;
using OpenHands.Storage.Locks;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Sessions;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Tenancy;
using OpenHands.Storage.Users;
using OpenHands.Storage.Webhooks;

namespace OpenHands.Storage;

/// <summary>The only way into the stores.</summary>
public static class StorageExtensions
{
    private static readonly IInterceptor[] Interceptors = [new TenantCommands(), new TenantTransactions(), new UnsentBatches(), new AfterCommit()];

    /// <summary>
    /// Adds the stores and the health check <c>schema</c>. Needs <see cref="OpenHandsDb"/> (connection <c>openhands</c>, options
    /// by <see cref="UseOpenHandsDb"/>), registered by the service itself, and the key ring (connection string <c>secrets</c>).
    /// </summary>
    /// <exception cref="InvalidOperationException">The key ring is missing or too short.</exception>
    public static IHostApplicationBuilder AddStorage(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHealthChecks()
            .AddCheck<SchemaHealthCheck>(SchemaHealthCheck.Name, timeout: TimeSpan.FromSeconds(1.5));
        builder.Services.AddSingleton(KeyRing.From(builder.Configuration));
        builder.Services.AddSingleton(services => new TenantKeys(builder.Configuration, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<SecretCipher>();
        builder.Services.AddScoped<EncryptionKeyRegistry>();
        builder.Services.AddHostedService<KeyRingSelfCheck>();
        builder.Services.AddSingleton<AuditLog>();
        builder.Services.AddScoped<AuditStore>();
        builder.Services.AddScoped<SettingsStore>();
        builder.Services.AddScoped<OrganizationSettingsStore>();
        builder.Services.AddScoped<SecretStore>();
        builder.Services.AddScoped<IdempotencyStore>();
        builder.Services.AddScoped<ApiKeyStore>();
        builder.Services.AddSingleton<ApiKeyDirectory>();
        builder.Services.AddSingleton<ApiKeyUses>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ApiKeyUses>());
        var patience = builder.Configuration.GetValue<TimeSpan?>("Redis:Patience") ?? TimeSpan.FromMilliseconds(250);
        builder.Services.AddSingleton(services =>
            new RedisGate(services, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<RedisGate>>()) { Patience = patience });
        builder.Services.AddSingleton<LeaseCache>();
        builder.Services.AddSingleton<MembershipCache>();
        builder.Services.AddSingleton<SessionCache>();
        builder.Services.AddSingleton<SecretCache>();
        builder.Services.AddSingleton<SessionAccesses>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SessionAccesses>());
        builder.Services.AddSingleton(services => DatabasePool.Of(services.GetRequiredService<DbContextOptions<OpenHandsDb>>()));
        builder.Services.AddSingleton<FencingTokens>();
        builder.Services.AddSingleton<RedisLocks>();
        builder.Services.AddScoped(services => new Lazy<OpenHandsDb>(services.GetRequiredService<OpenHandsDb>));
        builder.Services.AddScoped<SessionStore>();
        builder.Services.AddScoped<ProviderTokenStore>();
        builder.Services.AddScoped<TenantContext>();
        builder.Services.AddSingleton<KnownUsers>();
        builder.Services.AddSingleton<IdentityDirectory>();
        builder.Services.AddScoped<FirstLogin>();
        builder.Services.AddScoped<OrganizationStore>();
        builder.Services.AddScoped<InvitationStore>();
        builder.Services.AddScoped<UserStore>();
        builder.Services.AddSingleton<QueueWindow>();
        builder.Services.AddSingleton<JointInserts>();
        builder.Services.AddScoped<TaskQueue>();
        builder.Services.AddScoped<WebhookStore>();
        builder.Services.HandOverTenant();
        return builder;
    }

    /// <summary>Adds <see cref="DatabaseMigrator"/>, for the migration step alone.</summary>
    public static IHostApplicationBuilder AddDatabaseMigrator(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(MigrationConnections.From(builder.Configuration));
        builder.Services.AddSingleton<DatabaseMigrator>();
        return builder;
    }

    /// <summary>
    /// Completes the options of <see cref="OpenHandsDb"/> after the provider and the connection string were set: snake_case
    /// names, and the bounds of <see cref="DatabaseConnection"/> where the connection string has none.
    /// </summary>
    public static void UseOpenHandsDb(this DbContextOptionsBuilder options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.UseSnakeCaseNamingConvention();
        options.AddInterceptors(Interceptors);
        // Every statement would be a line of the log otherwise; spans show them, too.
        options.ConfigureWarnings(events => events.Log((RelationalEventId.CommandExecuted, LogLevel.Debug)));
        var relational = options.Options.Extensions.OfType<RelationalOptionsExtension>().Single();
        if (relational.ConnectionString is { } connectionString)
            options.UseNpgsql(DatabaseConnection.WithBounds(connectionString));
    }

    // A pooled context knows nothing of the scope that rents it, so the scope's tenant is handed to it here.
    private static void HandOverTenant(this IServiceCollection services)
    {
        var rent = services.LastOrDefault(service => service.ServiceType == typeof(OpenHandsDb))?.ImplementationFactory
            ?? throw new InvalidOperationException($"Register {nameof(OpenHandsDb)} with a pool (AddNpgsqlDbContext) before {nameof(AddStorage)}.");
        services.Replace(ServiceDescriptor.Scoped(scope =>
        {
            var db = (OpenHandsDb)rent(scope);
            db.Tenant = scope.GetRequiredService<TenantContext>();
            return db;
        }));
    }
}
