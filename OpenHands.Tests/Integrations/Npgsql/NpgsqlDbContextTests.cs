using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Aspire.Npgsql.EntityFrameworkCore.PostgreSQL;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace OpenHands.Tests.Integrations.Npgsql;

public sealed class NpgsqlDbContextTests
{
    private const string Section = "Aspire:Npgsql:EntityFrameworkCore:PostgreSQL";

    [Theory]
    [InlineData("general", null, null, null, null, "general")]
    [InlineData("general", "named", null, null, null, "named")]
    [InlineData("general", "named", "typed", null, null, "typed")]
    [InlineData("general", "named", "typed", "connection", null, "connection")]
    [InlineData("general", "named", "typed", "connection", "code", "code")]
    public void The_nearer_setting_wins(
        string? general, string? named, string? typed, string? connection, string? code, string expected)
    {
        using var host = Build(
            new()
            {
                [$"{Section}:ConnectionString"] = To(general),
                [$"{Section}:books:ConnectionString"] = To(named),
                [$"{Section}:{nameof(BooksDb)}:ConnectionString"] = To(typed),
                ["ConnectionStrings:books"] = To(connection),
            },
            builder => builder.AddNpgsqlDbContext<BooksDb>(
                "books", settings => settings.ConnectionString = To(code) ?? settings.ConnectionString));

        using var scope = host.Services.CreateScope();

        Assert.Equal(To(expected), scope.ServiceProvider.GetRequiredService<BooksDb>().Database.GetConnectionString());
    }

    [Fact]
    public async Task A_missing_connection_string_is_told_when_a_context_is_made_with_the_places_to_set_it()
    {
        using var host = Build([], builder => builder.AddNpgsqlDbContext<BooksDb>("books"));
        await host.StartAsync(TestContext.Current.CancellationToken);
        using var scope = host.Services.CreateScope();

        var error = Assert.Throws<InvalidOperationException>(() => scope.ServiceProvider.GetRequiredService<BooksDb>());

        Assert.Contains("'ConnectionStrings:books'", error.Message);
        Assert.Contains($"'{Section}'", error.Message);
        Assert.Contains($"'{Section}:{nameof(BooksDb)}'", error.Message);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Failed_commands_are_retried_unless_that_is_disabled(bool disabled)
    {
        using var host = Build(
            new() { ["ConnectionStrings:books"] = To("server"), [$"{Section}:DisableRetry"] = disabled.ToString() },
            builder => builder.AddNpgsqlDbContext<BooksDb>("books"));
        using var scope = host.Services.CreateScope();

        var strategy = scope.ServiceProvider.GetRequiredService<BooksDb>().Database.CreateExecutionStrategy();

        Assert.Equal(!disabled, strategy.RetriesOnFailure);
    }

    [Fact]
    public void The_command_timeout_and_the_callers_own_options_reach_the_context()
    {
        using var host = Build(
            new() { ["ConnectionStrings:books"] = To("server"), [$"{Section}:{nameof(BooksDb)}:CommandTimeout"] = "7" },
            builder => builder.AddNpgsqlDbContext<BooksDb>(
                "books", configureDbContextOptions: options => options.UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking)));
        using var scope = host.Services.CreateScope();

        var context = scope.ServiceProvider.GetRequiredService<BooksDb>();

        Assert.Equal(7, context.Database.GetCommandTimeout());
        Assert.Equal(QueryTrackingBehavior.NoTracking, context.ChangeTracker.QueryTrackingBehavior);
    }

    [Fact]
    public void Contexts_are_pooled()
    {
        using var host = Build(
            new() { ["ConnectionStrings:books"] = To("server") },
            builder => builder.AddNpgsqlDbContext<BooksDb>("books"));

        BooksDb Rent()
        {
            using var scope = host.Services.CreateScope();
            return scope.ServiceProvider.GetRequiredService<BooksDb>();
        }

        Assert.Same(Rent(), Rent());
    }

    [Fact]
    public async Task The_health_check_bears_the_contexts_name_and_fails_without_a_server()
    {
        using var port = new DeadPort();
        using var host = Build(
            new() { ["ConnectionStrings:books"] = $"Host=127.0.0.1;Port={port.Number};Username=reader;Password=hidden" },
            builder => builder.AddNpgsqlDbContext<BooksDb>("books", settings => settings.DisableRetry = true));

        var report = await host.Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HealthStatus.Unhealthy, Assert.Single(report.Entries, entry => entry.Key == nameof(BooksDb)).Value.Status);
    }

    [Fact]
    public void What_is_disabled_is_not_there()
    {
        using var host = Build(
            new()
            {
                [$"{Section}:DisableHealthChecks"] = "true",
                [$"{Section}:books:DisableTracing"] = "true",
                [$"{Section}:{nameof(BooksDb)}:DisableMetrics"] = "true",
            },
            builder => builder.AddNpgsqlDbContext<BooksDb>("books"));

        Assert.Null(host.Services.GetService<HealthCheckService>());
        Assert.Null(host.Services.GetService<TracerProvider>());
        Assert.Null(host.Services.GetService<MeterProvider>());
    }

    [Fact]
    public void Traces_and_metrics_are_collected_by_default()
    {
        using var host = Build([], builder => builder.AddNpgsqlDbContext<BooksDb>("books"));

        Assert.NotNull(host.Services.GetService<TracerProvider>());
        Assert.NotNull(host.Services.GetService<MeterProvider>());
    }

    [Fact]
    public void Npgsql_itself_asks_for_buckets_in_seconds()
    {
        var histograms = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument is Histogram<double> { Meter.Name: "Npgsql", Unit: "s" } histogram)
                    histograms[histogram.Name] = histogram.Advice?.HistogramBucketBoundaries?[^1] ?? double.NaN;
            },
        };
        listener.Start();
        using var source = NpgsqlDataSource.Create("Host=127.0.0.1");

        Assert.Equal(
            ["db.client.connection.npgsql.create_time", "db.client.operation.duration"],
            histograms.Keys.Order(StringComparer.Ordinal));
        Assert.All(histograms.Values, longest => Assert.InRange(longest, 1, 60));
    }

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Production", false)]
    public void A_context_registered_twice_is_refused_in_development(string environment, bool refused)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = environment });
        builder.Services.AddDbContext<BooksDb>();

        var error = Record.Exception(() => builder.AddNpgsqlDbContext<BooksDb>("books"));

        Assert.Equal(refused, error is InvalidOperationException);
    }

    [Fact]
    public void Settings_have_the_defaults_of_Aspire()
    {
        var settings = new NpgsqlEntityFrameworkCorePostgreSQLSettings();

        Assert.Null(settings.ConnectionString);
        Assert.Null(settings.CommandTimeout);
        Assert.False(settings.DisableRetry || settings.DisableHealthChecks || settings.DisableTracing || settings.DisableMetrics);
    }

    private static string? To(string? database) => database is null ? null : $"Host=127.0.0.1;Database={database}";

    private static IHost Build(Dictionary<string, string?> configuration, Action<IHostApplicationBuilder> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        // A key that is there with null would be bound as null; one that is not set is not there.
        builder.Configuration.AddInMemoryCollection(configuration.Where(setting => setting.Value is not null));
        add(builder);
        return builder.Build();
    }

    internal sealed class BooksDb(DbContextOptions<BooksDb> options) : DbContext(options);
}
