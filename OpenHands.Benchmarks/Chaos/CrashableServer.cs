using System.Diagnostics;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>A server that is killed and started again on the same port.</summary>
internal sealed class CrashableServer(ILocalServer server) : IAsyncDisposable
{
    private GuardedProcess? _process;

    /// <summary>Prepares and starts it.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await server.PrepareAsync(_ => { }, cancellationToken);
        await StartAsync(cancellationToken);
    }

    /// <summary>Starts it and waits until it says that it is ready.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = server.Start((line, _) =>
        {
            if (line.Contains("eady to accept connections", StringComparison.Ordinal))
                ready.TrySetResult();
        });
        await Task.WhenAny(ready.Task, _process.Exited).WaitAsync(cancellationToken);
        if (!ready.Task.IsCompleted)
            throw new InvalidOperationException("A server of the run did not start.");
    }

    /// <summary>Kills it the hard way.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        Process.GetProcessById(await _process.ProcessId).Kill();
        await _process.Exited;
        await _process.DisposeAsync();
    }

    /// <summary>Its process.</summary>
    public async Task<int> ProcessIdAsync() => await _process!.ProcessId; // started before

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        server.Dispose();
    }
}
