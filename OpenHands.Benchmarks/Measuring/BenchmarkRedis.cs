using System.Net;
using System.Net.Sockets;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>A throw-away Redis for the time of one benchmark. Disposing it ends the server.</summary>
internal sealed class BenchmarkRedis : IAsyncDisposable
{
    private readonly RedisServer _server;
    private readonly GuardedProcess _process;

    private BenchmarkRedis(RedisServer server, GuardedProcess process, ConnectionMultiplexer connection) => (_server, _process, Connection) = (server, process, connection);

    /// <summary>A connection to it.</summary>
    public ConnectionMultiplexer Connection { get; }

    /// <summary>Starts a server.</summary>
    public static async Task<BenchmarkRedis> StartAsync(CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var folder = Directory.CreateTempSubdirectory("openhands-benchmark-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101); // the server may have another account
        var server = new RedisServer(new RedisServerOptions
        {
            CacheDirectory = HostDirectories.Find().Cache,
            DataDirectory = Path.Combine(folder.FullName, "redis"),
            Port = port,
            Password = null,
            Throwaway = true,
        });
        await server.PrepareAsync(Console.Error.WriteLine, cancellationToken);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = server.Start((line, _) =>
        {
            if (line.Contains("eady to accept connections", StringComparison.Ordinal))
                ready.TrySetResult();
        });
        await Task.WhenAny(ready.Task, process.Exited).WaitAsync(cancellationToken);
        return new BenchmarkRedis(server, process, await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port}"));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await _process.DisposeAsync();
        _server.Dispose();
    }
}
