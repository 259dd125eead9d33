using Aspire.Npgsql.EntityFrameworkCore.PostgreSQL;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenHands.ServiceDefaults.Integrations;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds Entity Framework contexts on PostgreSQL as Aspire does.</summary>
public static class AspireEFPostgreSqlExtensions
{
    private const string Section = "Aspire:Npgsql:EntityFrameworkCore:PostgreSQL";

    /// <summary>
    /// Registers <typeparamref name="TContext"/> as a pooled context on the connection <paramref name="connectionName"/>,
    /// with retries, a health check named after the context's type, traces and metrics, unless the settings say otherwise.
    /// </summary>
    /// <exception cref="InvalidOperationException">In Development: the context is already registered. Later, when a
    /// context is made: there is no connection string.</exception>
    public static void AddNpgsqlDbContext<TContext>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<NpgsqlEntityFrameworkCorePostgreSQLSettings>? configureSettings = null,
        Action<DbContextOptionsBuilder>? configureDbContextOptions = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        RefuseSecondRegistration<TContext>(builder);

        var settings = Settings<TContext>(builder.Configuration, connectionName);
        configureSettings?.Invoke(settings);

        builder.Services.AddDbContextPool<TContext>(options =>
        {
            options.UseNpgsql(ConnectionString<TContext>(settings, connectionName), npgsql =>
            {
                if (!settings.DisableRetry)
                    npgsql.EnableRetryOnFailure();
                if (settings.CommandTimeout is { } seconds)
                    npgsql.CommandTimeout(seconds);
            });
            configureDbContextOptions?.Invoke(options);
        });
        AddInstrumentation<TContext>(builder, settings);
    }

    private static NpgsqlEntityFrameworkCorePostgreSQLSettings Settings<TContext>(
        IConfiguration configuration, string connectionName)
    {
        var settings = new NpgsqlEntityFrameworkCorePostgreSQLSettings();
        var section = configuration.GetSection(Section);
        section.Bind(settings);
        section.GetSection(connectionName).Bind(settings);
        section.GetSection(typeof(TContext).Name).Bind(settings);
        if (configuration.GetConnectionString(connectionName) is { Length: > 0 } connectionString)
            settings.ConnectionString = connectionString;
        return settings;
    }

    /// <summary>Checked when a context is made, not at start: tools build the model without a database.</summary>
    private static string? ConnectionString<TContext>(
        NpgsqlEntityFrameworkCorePostgreSQLSettings settings, string connectionName)
    {
        if (string.IsNullOrWhiteSpace(settings.ConnectionString) && !EF.IsDesignTime)
        {
            throw new InvalidOperationException(
                $"There is no connection string for {typeof(TContext).Name}: set 'ConnectionStrings:{connectionName}', or "
                + $"'ConnectionString' in the configuration section '{Section}' or '{Section}:{typeof(TContext).Name}'.");
        }
        return settings.ConnectionString;
    }

    private static void AddInstrumentation<TContext>(
        IHostApplicationBuilder builder, NpgsqlEntityFrameworkCorePostgreSQLSettings settings)
        where TContext : DbContext
    {
        if (!settings.DisableHealthChecks)
            builder.TryAddHealthCheck(typeof(TContext).Name, checks => checks.AddDbContextCheck<TContext>());
        if (!settings.DisableTracing)
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddNpgsql());
        if (!settings.DisableMetrics)
        {
            // Npgsql 10 says itself that its histograms are in seconds (advice on buckets), so no view is needed.
            builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Npgsql"));
        }
    }

    private static void RefuseSecondRegistration<TContext>(IHostApplicationBuilder builder)
    {
        if (builder.Environment.IsDevelopment()
            && !EF.IsDesignTime
            && builder.Services.Any(service => service.ServiceType == typeof(TContext)))
        {
            throw new InvalidOperationException(
                $"{typeof(TContext).Name} is already registered: {nameof(AddNpgsqlDbContext)} registers the context itself, "
                + "so leave out AddDbContext and call it once.");
        }
    }
}
