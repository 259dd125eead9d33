using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using OpenHands.Hosting.Processes;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>This executable once more, as a worker or the API of the run, to be killed and stopped.</summary>
internal sealed class ChaosProcess : IAsyncDisposable
{
    private readonly GuardedProcess _process;

    private ChaosProcess(GuardedProcess process) => _process = process;

    /// <summary>Its number.</summary>
    public Task<int> Id => _process.ProcessId;

    /// <summary>True once it has ended.</summary>
    public bool HasEnded => _process.Exited.IsCompleted;

    /// <summary>Starts it.</summary>
    /// <param name="arguments">Verb and what follows it.</param>
    /// <param name="output">Gets every line that it writes.</param>
    public static ChaosProcess Start(IReadOnlyList<string> arguments, Action<string> output) => new(GuardedProcess.Start(new()
    {
        FileName = Path.Combine(AppContext.BaseDirectory, "OpenHands.Benchmarks"),
        Arguments = arguments,
        Environment = new Dictionary<string, string?> { ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../..")) },
        Output = (line, _) => output(line),
        GracePeriod = TimeSpan.FromSeconds(2),
    }));

    /// <summary>Kills it the hard way.</summary>
    public async Task KillAsync()
    {
        Process.GetProcessById(await Id).Kill();
        await _process.Exited;
    }

    /// <summary>Sends a signal, by its name without "SIG".</summary>
    public static async Task SignalAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
