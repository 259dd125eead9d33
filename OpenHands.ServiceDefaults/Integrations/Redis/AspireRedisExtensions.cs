using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenHands.ServiceDefaults.Integrations;
using OpenHands.ServiceDefaults.Integrations.Redis;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds the Redis client as Aspire does.</summary>
public static class AspireRedisExtensions
{
    private const string Section = "Aspire:StackExchange:Redis";

    /// <summary>
    /// Registers <see cref="IConnectionMultiplexer"/> as a singleton on the connection <paramref name="connectionName"/>,
    /// connected when it is first used, with a health check and traces unless the settings say otherwise.
    /// </summary>
    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var section = builder.Configuration.GetSection(Section);
        var named = section.GetSection(connectionName);
        var settings = new StackExchangeRedisSettings();
        section.Bind(settings);
        named.Bind(settings);
        if (builder.Configuration.GetConnectionString(connectionName) is { Length: > 0 } connectionString)
            settings.ConnectionString = connectionString;
        configureSettings?.Invoke(settings);

        var sentinels = new SentinelConnection(() => Options(settings, section, named, configureOptions));
        builder.Services.AddSingleton<IConnectionMultiplexer>(services =>
        {
            var options = Options(settings, section, named, configureOptions);
            Demand(options, connectionName);
            var redis = string.IsNullOrEmpty(options.ServiceName) ? ConnectionMultiplexer.Connect(options) : sentinels.Take(options.ServiceName);
            if (services.GetService<RedisProfiler>() is { } profiler)
                redis.RegisterProfiler(profiler.Session);
            return redis;
        });
        if (!settings.DisableAutoActivation)
            builder.Services.AddHostedService<RedisActivation>();
        if (!settings.DisableHealthChecks)
            builder.TryAddHealthCheck("StackExchange.Redis", AddHealthCheck);
        if (!settings.DisableTracing)
            AddTracing(builder.Services);
    }

    private static ConfigurationOptions Options(
        StackExchangeRedisSettings settings, IConfigurationSection section, IConfigurationSection named, Action<ConfigurationOptions>? configure)
    {
        var options = settings.ConnectionString is { } connectionString
            ? ConfigurationOptions.Parse(connectionString)
            : new ConfigurationOptions();
        // Only the general defaults: a cloud service's own provider (chosen by the host name) knows better.
        if (options.Defaults.GetType() == typeof(DefaultOptionsProvider))
            options.Defaults = new RedisDefaults();
        section.GetSection(nameof(ConfigurationOptions)).Bind(options);
        named.GetSection(nameof(ConfigurationOptions)).Bind(options);
        configure?.Invoke(options);
        return options;
    }

    private static void Demand(ConfigurationOptions options, string connectionName)
    {
        if (options.EndPoints.Count == 0)
        {
            throw new InvalidOperationException(
                $"There is no Redis endpoint: set 'ConnectionStrings:{connectionName}', or 'ConnectionString' in the "
                + $"configuration section '{Section}' or '{Section}:{connectionName}'.");
        }
    }

    private static void AddTracing(IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RedisProfiler>();
        services.AddHostedService<RedisSpanWriter>();
        services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(RedisSpans.SourceName));
    }

    private static void AddHealthCheck(IHealthChecksBuilder checks) =>
        checks.Add(new HealthCheckRegistration(
            "StackExchange.Redis", services => new RedisHealthCheck(services), failureStatus: null, tags: null));
}
