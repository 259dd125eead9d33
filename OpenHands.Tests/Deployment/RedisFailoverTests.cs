using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Deployment;

/// <summary>The scripts of the production overlay with real servers and Sentinels, and the services' own client on them.</summary>
public sealed class RedisFailoverTests : IAsyncLifetime
{
    private const string Password = "passwordOfTheTests1";

    private readonly int[] _ports = [.. Enumerable.Range(0, 3).Select(_ => RunningServer.FreePort())];
    private readonly int[] _sentinels = [.. Enumerable.Range(0, 3).Select(_ => RunningServer.FreePort())];
    private ScriptServers _servers = null!;

    public async ValueTask InitializeAsync() => _servers = await ScriptServers.CreateAsync(ServerProduct.Redis, "redis/scripts");

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    [Fact]
    public async Task The_application_finds_the_new_master_without_a_restart_and_so_do_all_after_a_restart_of_everything()
    {
        using var application = Application();
        // A service that is there before its Redis.
        var early = Assert.ThrowsAny<RedisException>(() => application.Services.GetRequiredService<IConnectionMultiplexer>());
        Assert.Contains("No Sentinel has named a master of 'openhands'", early.Message, StringComparison.Ordinal);

        await StartedAsync();
        var redis = await ConnectedAsync(application);
        await WritesAsync(redis, "before");
        Assert.Equal(_ports[0], await MasterAsync());

        await _servers.KillAsync("redis-0", "sentinel-0");
        await WritesAsync(redis, "after");
        Assert.Equal("before", await redis.GetDatabase().StringGetAsync("before"));
        Assert.NotEqual(_ports[0], await MasterAsync());

        Start(0);
        await Eventually.TrueAsync($"the old master follows\n{_servers.Log}", async () => await RoleAsync(0) == "slave");
        // Whoever does not have it yet may be chosen after all were gone.
        foreach (var port in _ports)
            await Eventually.TrueAsync($"it has what was written since\n{_servers.Log}", async () => await AskAsync(port, "GET", "after") == "after");

        await _servers.KillAsync("redis-0", "redis-1", "redis-2", "sentinel-0", "sentinel-1", "sentinel-2");
        Start(0, 1, 2);
        await WritesAsync(redis, "again");
        Assert.Equal("after", await redis.GetDatabase().StringGetAsync("after"));
        // Not necessarily the one from before: the Sentinels choose again when it comes up later than they have patience.
        Assert.Contains(await MasterAsync(), _ports);
    }

    [Fact]
    public async Task A_master_that_lost_its_volume_does_not_empty_the_others()
    {
        await StartedAsync();
        using var application = Application();
        var redis = await ConnectedAsync(application);
        await WritesAsync(redis, "kept");
        await Eventually.TrueAsync("a replica has it", async () => await AskAsync(_ports[1], "DBSIZE") == "1" && await AskAsync(_ports[2], "DBSIZE") == "1");

        await _servers.KillAsync("redis-0");
        Directory.Delete(Path.Combine(_servers.Folder("volume-0"), "appendonlydir"), recursive: true);
        Start("redis-0");
        await WritesAsync(redis, "after");

        Assert.Equal("kept", await redis.GetDatabase().StringGetAsync("kept"));
        Assert.NotEqual(_ports[0], await MasterAsync());
    }

    [Fact]
    public async Task A_backup_is_a_snapshot_and_a_password_that_Sentinel_would_spoil_is_refused()
    {
        Start(0, 1, 2);
        await Eventually.TrueAsync("a server answers", async () => await RoleAsync(0) == "master");
        var alive = await _servers.RunAsync("alive.sh", Environment(0), "server");
        var environment = Environment(0);
        environment["BACKUP_DIRECTORY"] = _servers.Folder("backups");
        var backup = await _servers.RunAsync("backup.sh", environment);
        environment["REDIS_PASSWORD"] = "with space";
        var refused = await _servers.RunAsync("run.sh", environment);

        Assert.True(alive.Succeeded, alive.Tail);
        Assert.True(backup.Succeeded, backup.Tail);
        var snapshot = await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(_servers.Folder("backups"))), TestContext.Current.CancellationToken);
        Assert.Equal("REDIS", System.Text.Encoding.ASCII.GetString(snapshot, 0, 5));
        Assert.Contains("REDIS_PASSWORD must be letters and digits", refused.Tail, StringComparison.Ordinal);
    }

    // A Sentinel learns of replicas when it asks the master, every 10 s unless it is told otherwise; before, it cannot choose one.
    private async Task StartedAsync()
    {
        Start(0, 1, 2);
        foreach (var sentinel in _sentinels)
        {
            await Eventually.TrueAsync("a Sentinel asks more often", async () => await AskAsync(sentinel, "SENTINEL", "DEBUG", "info-period", "300") == "OK");
            await Eventually.TrueAsync($"the Sentinel knows everybody\n{_servers.Log}", async () =>
                (await AskAsync(sentinel, "SENTINEL", "MASTER", "openhands")).Split('\n') is var lines
                && Value(lines, "num-slaves") == "2" && Value(lines, "num-other-sentinels") == "2");
        }
    }

    private static string? Value(string[] lines, string name) => Array.IndexOf(lines, name) is >= 0 and var at ? lines[at + 1] : null;

    private void Start(params int[] ordinals) => Start([.. ordinals.SelectMany(ordinal => new[] { $"redis-{ordinal}", $"sentinel-{ordinal}" })]);

    private void Start(params string[] names)
    {
        foreach (var name in names)
            _servers.Start(name, name.StartsWith("redis", StringComparison.Ordinal) ? "run.sh" : "sentinel.sh", Environment(name[^1] - '0'));
    }

    // The services' own way to Redis, with the connection string of the production overlay.
    private IHost Application()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration["ConnectionStrings:redis"] =
            $"{string.Join(',', _sentinels.Select(port => $"127.0.0.1:{port}"))},serviceName=openhands,password={Password},connectTimeout=1000";
        builder.AddRedisClient("redis");
        return builder.Build();
    }

    private async Task<IConnectionMultiplexer> ConnectedAsync(IHost application)
    {
        IConnectionMultiplexer? redis = null;
        await Eventually.TrueAsync($"the application is connected\n{_servers.Log}", () =>
        {
            try
            {
                redis = application.Services.GetRequiredService<IConnectionMultiplexer>();
                return true;
            }
            catch (RedisException)
            {
                return false;
            }
        });
        return redis!;
    }

    private async Task WritesAsync(IConnectionMultiplexer redis, string key) => await Eventually.TrueAsync($"{key} is written\n{_servers.Log}", async () =>
    {
        try
        {
            return await redis.GetDatabase().StringSetAsync(key, key).WaitAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            return false;
        }
    });

    private async Task<int> MasterAsync() => int.Parse((await AskAsync(_sentinels[1], "SENTINEL", "get-master-addr-by-name", "openhands")).Split('\n')[1]);

    private async Task<string> RoleAsync(int ordinal) => (await AskAsync(_ports[ordinal], "ROLE")).Split('\n')[0];

    private async Task<string> AskAsync(int port, params string[] command) => string.Join('\n', (await _servers.RunProgramAsync(
        "redis-cli", new Dictionary<string, string?> { ["REDISCLI_AUTH"] = Password }, ["-h", "127.0.0.1", "-p", $"{port}", .. command])).Output);

    private Dictionary<string, string?> Environment(int ordinal) => new()
    {
        ["REDIS_MEMBERS"] = string.Join(',', _ports.Select(port => $"127.0.0.1:{port}")),
        ["REDIS_SENTINELS"] = string.Join(',', _sentinels.Select(port => $"127.0.0.1:{port}")),
        ["REDIS_ORDINAL"] = $"{ordinal}",
        ["REDIS_PASSWORD"] = Password,
        ["REDIS_DATA"] = _servers.Folder($"volume-{ordinal}"),
        ["REDIS_RUN"] = _servers.Folder($"run-{ordinal}"),
        ["REDIS_BIN"] = _servers.Programs,
        ["REDIS_LISTEN"] = "127.0.0.1",
        ["SENTINEL_DOWN_AFTER"] = "1000",
        ["SENTINEL_FAILOVER_TIMEOUT"] = "3000",
    };
}
