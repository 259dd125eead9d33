using System.Net;
using System.Net.Sockets;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using OpenHands.Tests.Hosting.Provisioning;
using StackExchange.Redis;

namespace OpenHands.Tests.Hosting.Servers;

public sealed class RedisServerTests(ServerCache cache) : IDisposable
{
    private const string Password = "a 'strange' \"one\" \\ü";

    private readonly TestFolder _folder = new();

    [Fact]
    public async Task It_starts_without_root_and_the_password_is_asked_for_but_never_on_the_command_line()
    {
        var options = Options();
        using var server = new RedisServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(server);

        await using var redis = await ConnectAsync(options);
        Assert.True(await redis.GetDatabase().StringSetAsync("key", "value"));
        var refused = await Assert.ThrowsAnyAsync<RedisException>(() => ConnectAsync(options with { Password = "wrong" }));
        Assert.DoesNotContain("strange", refused.Message);

        Assert.NotEqual(0u, await running.UserIdAsync());
        Assert.DoesNotContain("strange", File.ReadAllText($"/proc/{await running.Process.ProcessId}/cmdline"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(options.DataDirectory, "redis.conf")));
        Assert.Equal("noeviction", await ConfigAsync(redis, "maxmemory-policy"));
        Assert.Equal("yes", await ConfigAsync(redis, "appendonly"));
        Assert.Equal("everysec", await ConfigAsync(redis, "appendfsync"));
    }

    [Fact]
    public async Task Extra_arguments_override_the_configuration()
    {
        var options = Options() with { ExtraArguments = ["--save", "60", "1"] };
        using var server = new RedisServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(server);

        await using var redis = await ConnectAsync(options);

        Assert.Equal("60 1", await ConfigAsync(redis, "save"));
    }

    [Fact]
    public async Task After_a_crash_it_starts_again_with_everything_that_was_flushed()
    {
        var options = Options();
        using var server = new RedisServer(options);
        await using var first = await RunningServer.PrepareAndStartAsync(server);
        await using (var redis = await ConnectAsync(options))
        {
            await redis.GetDatabase().StringSetAsync("key", "value");
            await FlushedAsync(redis);
        }

        await first.CrashAsync();

        await using var second = await RunningServer.StartAsync(server);
        await using var again = await ConnectAsync(options);
        Assert.Equal("value", await again.GetDatabase().StringGetAsync("key"));
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_stop_and_a_new_start()
    {
        var options = Options();
        using (var server = new RedisServer(options))
        {
            await using var first = await RunningServer.PrepareAndStartAsync(server);
            await using var redis = await ConnectAsync(options);
            await redis.GetDatabase().StringSetAsync("key", "value");
            await first.Process.StopAsync();
            Assert.Equal(0, await first.Process.Exited);
        }

        using var again = new RedisServer(options);
        await using var second = await RunningServer.PrepareAndStartAsync(again);
        await using var client = await ConnectAsync(options);
        Assert.Equal("value", await client.GetDatabase().StringGetAsync("key"));
    }

    [Fact]
    public async Task A_server_that_outlived_its_host_and_its_guard_is_stopped_first()
    {
        var options = Options();
        using (var server = new RedisServer(options))
        {
            await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
        }

        await using var orphan = await StartBesideAsync(options);
        var lines = new List<string>();
        using var again = new RedisServer(options);
        await again.PrepareAsync(lines.Add, TestContext.Current.CancellationToken);

        Assert.Contains(lines, line => line.Contains("earlier run", StringComparison.Ordinal));
        Assert.Equal(0, await orphan.Exited.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_data_directory_that_only_the_caller_can_enter_works()
    {
        using var closed = new TestFolder(TestFolder.OnlyOwner);
        var options = Options() with { DataDirectory = closed["redis"] };
        using var server = new RedisServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(server);

        await using var redis = await ConnectAsync(options);

        Assert.True(await redis.GetDatabase().StringSetAsync("key", "value"));
    }

    [Fact]
    public async Task A_second_host_on_the_same_directory_is_refused()
    {
        var options = Options();
        using var first = new RedisServer(options);
        await first.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
        using var second = new RedisServer(options);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => second.PrepareAsync(_ => { }, TestContext.Current.CancellationToken));

        Assert.Contains("--Data:Directory", refused.Message);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_the_setting_that_changes_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var options = Options(throwaway: true) with { Port = ((IPEndPoint)listener.LocalEndpoint).Port };
        using var server = new RedisServer(options);
        await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);

        var refused = Assert.Throws<InvalidOperationException>(() => server.Start((_, _) => { }));

        Assert.Contains($"port {options.Port}", refused.Message);
        Assert.Contains("--Ports:Redis", refused.Message);
    }

    [Fact]
    public async Task Throwaway_data_is_never_written_and_the_directory_is_gone_after_a_stop()
    {
        var options = Options(throwaway: true) with { ExtraArguments = ["--save", "60", "1"] };
        using var server = new RedisServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(server);
        await using (var redis = await ConnectAsync(options))
        {
            await redis.GetDatabase().StringSetAsync("key", "value");
            Assert.Equal("", await ConfigAsync(redis, "save"));
            Assert.Equal("no", await ConfigAsync(redis, "appendonly"));
        }

        await running.Process.StopAsync();

        Assert.False(Directory.Exists(options.DataDirectory));
    }

    public void Dispose() => _folder.Dispose();

    private RedisServerOptions Options(bool throwaway = false) => new()
    {
        Source = "provisioned",
        CacheDirectory = cache.Path,
        DataDirectory = _folder["redis"],
        Port = RunningServer.FreePort(),
        Password = Password,
        Throwaway = throwaway,
    };

    /// <summary>Starts the server as a host and guard that were killed would leave it: only the inherited lock tells of it.</summary>
    private async Task<GuardedProcess> StartBesideAsync(RedisServerOptions options)
    {
        var binaries = await cache.ProvisionAsync(OpenHands.Hosting.Provisioning.ServerProduct.Redis);
        var ready = new TaskCompletionSource();
        var process = GuardedProcess.Start(new()
        {
            FileName = binaries.Server,
            Arguments = [Path.Combine(options.DataDirectory, "redis.conf")],
            Environment = binaries.Environment,
            Account = await ServerAccount.ChooseAsync([binaries.Folder, options.DataDirectory], TestContext.Current.CancellationToken),
            LockFile = Path.Combine(options.DataDirectory, "server.lock"),
            Output = (line, _) =>
            {
                if (line.Contains("Ready to accept", StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                }
            },
        });
        await Task.WhenAny(ready.Task, process.Exited).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.True(ready.Task.IsCompleted);
        return process;
    }

    private static Task<ConnectionMultiplexer> ConnectAsync(RedisServerOptions options) => ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
    {
        EndPoints = { { "localhost", options.Port } },
        Password = options.Password,
        AllowAdmin = true,
        ConnectRetry = 1,
    });

    private static async Task<string?> ConfigAsync(ConnectionMultiplexer redis, string setting) =>
        (await redis.GetServers()[0].ConfigGetAsync(setting)).Single().Value;

    private static async Task FlushedAsync(ConnectionMultiplexer redis)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var tick = 0; ; tick++)
        {
            var state = (await redis.GetServers()[0].InfoAsync("persistence")).SelectMany(section => section).ToDictionary(pair => pair.Key, pair => pair.Value);
            if (state["aof_buffer_length"] == "0" && state["aof_pending_bio_fsync"] == "0")
            {
                return;
            }

            Assert.True(tick < 200, "Redis does not flush.");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
