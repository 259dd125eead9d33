using OpenHands.Tests.Support;
#if !ASPIRE_PACKAGES
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using OpenHands.Tests.Hosting.Servers;
#endif

[assembly: AssemblyFixture(typeof(RedisFixture))]

namespace OpenHands.Tests.Support;

/// <summary>A real Redis for all tests of a run, started when the first one asks for it and thrown away at the end.</summary>
public sealed class RedisFixture : IAsyncDisposable
{
    private const int Databases = 4096;

    private readonly Lazy<Task<string>> _server;
    private int _databases;

    public RedisFixture() => _server = new(StartAsync);

    /// <summary>An empty logical database that nobody else uses.</summary>
    internal async Task<RedisDatabase> CreateDatabaseAsync() =>
        await RedisDatabase.OpenAsync($"{await _server.Value},defaultDatabase={Interlocked.Increment(ref _databases)}");

#if ASPIRE_PACKAGES
    // Without the embedded host somebody else has to run the server.
    private static Task<string> StartAsync() => Task.FromResult(
        Environment.GetEnvironmentVariable("TEST_REDIS")
        ?? throw new InvalidOperationException($"Set TEST_REDIS to the connection string of an empty Redis with {Databases} databases."));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
#else
    private RedisTestServer? _running;

    private async Task<string> StartAsync()
    {
        _running = await RedisTestServer.StartAsync("--databases", $"{Databases}");
        return _running.ConnectionString;
    }

    public ValueTask DisposeAsync() => _running?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A Redis that a test may also crash.</summary>
internal sealed class RedisTestServer : IAsyncDisposable
{
    private readonly TestFolder _folder;
    private readonly RedisServer _server;
    private RunningServer _running;

    private RedisTestServer(TestFolder folder, RedisServer server, RunningServer running, string connectionString) =>
        (_folder, _server, _running, ConnectionString) = (folder, server, running, connectionString);

    public string ConnectionString { get; }

    /// <summary>Where it keeps everything.</summary>
    public string DataDirectory => _folder["redis"];

    /// <summary>Starts one that keeps every write, on a free port, with a password.</summary>
    public static async Task<RedisTestServer> StartAsync(params string[] extraArguments)
    {
        var folder = new TestFolder();
        var options = new RedisServerOptions
        {
            CacheDirectory = HostDirectories.Find().Cache,
            DataDirectory = folder["redis"],
            Port = RunningServer.FreePort(),
            Password = Guid.CreateVersion7().ToString("N"),
            ExtraArguments = extraArguments,
        };
        var server = new RedisServer(options);
        var running = await RunningServer.PrepareAndStartAsync(server);
        return new RedisTestServer(folder, server, running, $"localhost:{options.Port},password={options.Password}");
    }

    /// <summary>Kills it the hard way.</summary>
    public Task CrashAsync() => _running.CrashAsync();

    /// <summary>Starts it again on the same port and data.</summary>
    public async Task StartAgainAsync()
    {
        await _running.DisposeAsync();
        _running = await RunningServer.StartAsync(_server);
    }

    public async ValueTask DisposeAsync()
    {
        await _running.DisposeAsync();
        _server.Dispose();
        _folder.Dispose();
    }
}
#endif
