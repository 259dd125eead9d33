using System.Diagnostics;
using System.Globalization;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>A throw-away Redis for the time of one benchmark. Disposing it ends the server.</summary>
internal sealed class BenchmarkRedis : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly RedisServer _server;
    private readonly GuardedProcess _process;

    private BenchmarkRedis(DirectoryInfo folder, RedisServer server, GuardedProcess process, RedisServerOptions options, ConnectionMultiplexer connection)
    {
        (_folder, _server, _process, Connection) = (folder, server, process, connection);
        (Port, Password) = (options.Port, options.Password!); // given below
    }

    /// <summary>Its port on the loopback interface.</summary>
    public int Port { get; }

    /// <summary>Its password.</summary>
    public string Password { get; }

    /// <summary>What a service is given to reach it.</summary>
    public string ConnectionString => $"127.0.0.1:{Port},password={Password}";

    /// <summary>A connection.</summary>
    public ConnectionMultiplexer Connection { get; }

    /// <summary>Starts one that writes nothing to disk and remembers commands that take longer than a millisecond.</summary>
    public static async Task<BenchmarkRedis> StartAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("openhands-benchmark-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101); // the server may have another account
        var options = new RedisServerOptions
        {
            CacheDirectory = HostDirectories.Find().Cache,
            DataDirectory = Path.Combine(folder.FullName, "redis"),
            Port = BenchmarkDatabase.FreePort(),
            Password = $"{Guid.CreateVersion7():n}",
            Throwaway = true,
            ExtraArguments = ["--slowlog-log-slower-than", "1000", "--slowlog-max-len", "100000"],
        };
        var server = new RedisServer(options);
        await server.PrepareAsync(Console.Error.WriteLine, cancellationToken);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = server.Start((line, _) =>
        {
            if (line.Contains("eady to accept connections", StringComparison.Ordinal))
                ready.TrySetResult();
        });
        await Task.WhenAny(ready.Task, process.Exited).WaitAsync(cancellationToken);
        return new BenchmarkRedis(
            folder, server, process, options, await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{options.Port},password={options.Password},allowAdmin=true"));
    }

    /// <summary>Processor time of the server until now.</summary>
    public async Task<TimeSpan> CpuAsync()
    {
        var cpu = (await Connection.GetServers()[0].InfoAsync("cpu")).Single().ToDictionary(pair => pair.Key, pair => pair.Value);
        return TimeSpan.FromSeconds(Seconds("used_cpu_user") + Seconds("used_cpu_sys"));

        double Seconds(string name) => double.Parse(cpu[name], CultureInfo.InvariantCulture);
    }

    /// <summary>How many commands took longer than a millisecond by Redis' own clock. Without <see cref="TakeProcessorAsync"/>, that counts waiting for a processor.</summary>
    public async Task<long> SlowCommandsAsync() => (long)await Connection.GetDatabase().ExecuteAsync("SLOWLOG", "LEN");

    /// <summary>From here on no ordinary process takes the processor from Redis (SCHED_FIFO), so that its clock tells what a command itself takes.</summary>
    /// <returns>False where this account may not say so.</returns>
    public async Task<bool> TakeProcessorAsync(CancellationToken cancellationToken)
    {
        var id = (await _process.ProcessId).ToString(CultureInfo.InvariantCulture);
        using var chrt = Process.Start(new ProcessStartInfo("chrt", ["--all-tasks", "--fifo", "--pid", "1", id]) { RedirectStandardError = true })!;
        await chrt.WaitForExitAsync(cancellationToken);
        await Connection.GetDatabase().ExecuteAsync("SLOWLOG", "RESET");
        return chrt.ExitCode == 0;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await _process.DisposeAsync();
        _server.Dispose();
        if (_folder.Exists)
            _folder.Delete(recursive: true);
    }
}
