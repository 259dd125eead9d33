using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;

namespace OpenHands.Tests.Hosting.Servers;

/// <summary>A server started by a test, with all it has written.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningServer(ILocalServer server) => Process = server.Start((line, _) =>
    {
        _output.Enqueue(line);
        if (line.Contains("eady to accept connections", StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    });

    public GuardedProcess Process { get; }

    public string Output => string.Join('\n', _output);

    /// <summary>Prepares and starts the server and returns when it says that it is ready.</summary>
    public static async Task<RunningServer> PrepareAndStartAsync(ILocalServer server)
    {
        await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
        return await StartAsync(server);
    }

    /// <summary>Starts the server and returns when it says that it is ready.</summary>
    public static async Task<RunningServer> StartAsync(ILocalServer server)
    {
        var running = new RunningServer(server);
        await Task.WhenAny(running._ready.Task, running.Process.Exited).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.True(running._ready.Task.IsCompleted, running.Output);
        return running;
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The user id the server runs under.</summary>
    public async Task<uint> UserIdAsync() => uint.Parse(
        File.ReadLines($"/proc/{await Process.ProcessId}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1]);

    /// <summary>Kills the server the hard way and returns when it is gone.</summary>
    public async Task CrashAsync()
    {
        System.Diagnostics.Process.GetProcessById(await Process.ProcessId).Kill();
        await Process.Exited.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync() => await Process.DisposeAsync();
}
