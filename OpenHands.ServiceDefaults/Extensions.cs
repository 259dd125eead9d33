using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenHands.ServiceDefaults.Health;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the platform has: telemetry, health, service discovery and resilient HTTP clients.</summary>
public static class Extensions
{
    /// <summary>Ready: every check counts.</summary>
    private const string HealthPath = "/health";

    /// <summary>Alive: only the process itself counts.</summary>
    private const string AlivePath = "/alive";

    private const string LiveTag = "live";

    // The client integrations collect for themselves, by these settings of Aspire's.
    private static readonly Dictionary<string, string?> SilentClients = new()
    {
        ["Aspire:Npgsql:EntityFrameworkCore:PostgreSQL:DisableTracing"] = "true",
        ["Aspire:Npgsql:EntityFrameworkCore:PostgreSQL:DisableMetrics"] = "true",
        ["Aspire:StackExchange:Redis:DisableTracing"] = "true",
    };

    /// <summary>Adds telemetry, health checks, service discovery and the standard resilience of HTTP clients.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.ConfigureOpenTelemetry();
        builder.AddDefaultHealthChecks();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>Collects logs, metrics and traces and exports them over OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set, and otherwise none of them.</summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            // Every request would pay for spans and measurements that nobody gets. First of all sources: settings of one's own win.
            builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = SilentClients });
            return builder;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter("OpenHands.*"))
            .WithTracing(tracing => tracing
                .AddSource(builder.Environment.ApplicationName, "OpenHands.*")
                .AddAspNetCoreInstrumentation(options => options.Filter = context => !IsProbe(context.Request.Path))
                .AddHttpClientInstrumentation())
            .UseOtlpExporter();
        return builder;
    }

    /// <summary>
    /// Adds the check of the process itself, gives every check of the service a time limit, and makes a lost Redis
    /// count as degraded only: Redis may be lost at any moment without losing anything (the truth is in PostgreSQL).
    /// </summary>
    public static TBuilder AddDefaultHealthChecks<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<Readiness>();
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);

        // After all registrations, whoever made them and in whatever order: also those of Aspire's own packages.
        builder.Services.AddOptions<HealthCheckServiceOptions>()
            .PostConfigure<IServiceScopeFactory, TimeProvider>(HealthCheckRules.Apply);
        return builder;
    }

    /// <summary>
    /// Maps /health (ready: 503 when unhealthy, 200 when healthy or degraded) and /alive (live: the process only),
    /// in every environment and for everybody: the answers name checks and states, nothing else.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        var readiness = app.Services.GetRequiredService<Readiness>();
        var checks = app.Services.GetRequiredService<HealthCheckService>();

        app.MapProbe(HealthPath, readiness.ReportAsync);
        app.MapProbe(AlivePath, cancellationToken =>
            checks.CheckHealthAsync(registration => registration.Tags.Contains(LiveTag), cancellationToken));
        return app;
    }

    private static void MapProbe(
        this WebApplication app, string path, Func<CancellationToken, Task<HealthReport>> reportAsync) =>
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], async context =>
            {
                var report = await reportAsync(context.RequestAborted);
                await HealthAnswer.WriteAsync(context, report);
            })
            .AllowAnonymous()
            .ExcludeFromDescription();

    private static bool IsProbe(PathString path) =>
        path.StartsWithSegments(HealthPath) || path.StartsWithSegments(AlivePath);
}
