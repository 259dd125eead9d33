using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenHands.ServiceDefaults.Integrations.Redis;
using OpenHands.Tests.Support;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace OpenHands.Tests.Integrations.Redis;

public sealed class RedisClientTests
{
    private const string Section = "Aspire:StackExchange:Redis";

    [Theory]
    [InlineData("general", null, null, null, "general")]
    [InlineData("general", "named", null, null, "named")]
    [InlineData("general", "named", "connection", null, "connection")]
    [InlineData("general", "named", "connection", "code", "code")]
    public void The_nearer_setting_wins(string? general, string? named, string? connection, string? code, string expected)
    {
        using var port = new DeadPort();
        string? As(string? name) => name is null ? null : $"127.0.0.1:{port.Number},connectTimeout=100,name={name}";
        using var host = Build(
            new()
            {
                [$"{Section}:ConnectionString"] = As(general),
                [$"{Section}:redis:ConnectionString"] = As(named),
                ["ConnectionStrings:redis"] = As(connection),
            },
            builder => builder.AddRedisClient(
                "redis", settings => settings.ConnectionString = As(code) ?? settings.ConnectionString));

        Assert.Equal(expected, Options(host).ClientName);
    }

    [Fact]
    public void Client_options_come_from_configuration_and_code_has_the_last_word()
    {
        using var port = new DeadPort();
        using var host = Build(
            new()
            {
                ["ConnectionStrings:redis"] = $"127.0.0.1:{port.Number},connectTimeout=100",
                [$"{Section}:ConfigurationOptions:ConnectTimeout"] = "200",
                [$"{Section}:ConfigurationOptions:AsyncTimeout"] = "300",
                [$"{Section}:redis:ConfigurationOptions:AsyncTimeout"] = "400",
                [$"{Section}:redis:ConfigurationOptions:SyncTimeout"] = "500",
            },
            builder => builder.AddRedisClient("redis", configureOptions: options => options.SyncTimeout = 600));

        var options = Options(host);

        Assert.Equal(200, options.ConnectTimeout);
        Assert.Equal(400, options.AsyncTimeout);
        Assert.Equal(600, options.SyncTimeout);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(",abortConnect=true", true)]
    public void A_server_that_is_down_is_waited_for_unless_the_connection_string_says_otherwise(string option, bool aborts)
    {
        using var port = new DeadPort();
        using var host = Build(
            new() { ["ConnectionStrings:redis"] = $"127.0.0.1:{port.Number},connectTimeout=100{option}" },
            builder => builder.AddRedisClient("redis"));

        if (aborts)
            Assert.Throws<RedisConnectionException>(() => host.Services.GetRequiredService<IConnectionMultiplexer>());
        else
            Assert.False(host.Services.GetRequiredService<IConnectionMultiplexer>().IsConnected);
    }

    [Fact]
    public async Task Without_an_endpoint_the_first_use_says_where_to_set_it_and_not_the_start()
    {
        using var host = Build([], builder => builder.AddRedisClient("redis"));
        await host.StartAsync(TestContext.Current.CancellationToken);

        var error = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<IConnectionMultiplexer>());

        Assert.Contains("'ConnectionStrings:redis'", error.Message);
        Assert.Contains($"'{Section}:redis'", error.Message);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_connection_is_made_at_start_when_that_is_asked_for()
    {
        using var host = Build([], builder => builder.AddRedisClient("redis", settings => settings.DisableAutoActivation = false));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("'ConnectionStrings:redis'", error.Message);
    }

    [Fact]
    public async Task The_health_check_asks_Redis()
    {
        await using var server = new RespServer();
        using var host = Build(
            new() { ["ConnectionStrings:redis"] = server.ConnectionString + ",connectTimeout=500" },
            builder => builder.AddRedisClient("redis"));
        var checks = host.Services.GetRequiredService<HealthCheckService>();

        await Eventually.TrueAsync("it is up", async () => await StatusAsync() == HealthStatus.Healthy); // a first connect may take its time
        await server.DisposeAsync();
        Assert.Equal(HealthStatus.Unhealthy, await StatusAsync());

        async Task<HealthStatus> StatusAsync() => (await checks.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["StackExchange.Redis"].Status;
    }

    [Fact]
    public async Task With_our_defaults_a_lost_Redis_is_degraded()
    {
        using var port = new DeadPort();
        using var host = Build(
            new() { ["ConnectionStrings:redis"] = $"127.0.0.1:{port.Number},connectTimeout=100" },
            builder => builder.AddServiceDefaults().AddRedisClient("redis"));

        var report = await host.Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Equal(HealthStatus.Degraded, report.Entries["StackExchange.Redis"].Status);
    }

    [Fact]
    public void Adding_the_client_twice_registers_one_check_of_the_name()
    {
        using var host = Build([], builder =>
        {
            builder.AddRedisClient("redis");
            builder.AddRedisClient("redis");
        });

        Assert.Single(host.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations);
    }

    [Fact]
    public void What_is_disabled_is_not_there()
    {
        using var host = Build(
            new()
            {
                [$"{Section}:DisableHealthChecks"] = "true",
                [$"{Section}:redis:DisableTracing"] = "true",
            },
            builder => builder.AddRedisClient("redis"));

        Assert.Null(host.Services.GetService<HealthCheckService>());
        Assert.Null(host.Services.GetService<RedisProfiler>());
        Assert.Null(host.Services.GetService<TracerProvider>());
    }

    private static ConfigurationOptions Options(IHost host)
    {
        using var redis = host.Services.GetRequiredService<IConnectionMultiplexer>();
        return ConfigurationOptions.Parse(redis.Configuration);
    }

    private static IHost Build(Dictionary<string, string?> configuration, Action<IHostApplicationBuilder> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        // A key that is there with null would be bound as null; one that is not set is not there.
        builder.Configuration.AddInMemoryCollection(configuration.Where(setting => setting.Value is not null));
        add(builder);
        return builder.Build();
    }
}
