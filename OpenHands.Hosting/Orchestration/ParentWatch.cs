using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// Stops the application when the <c>dotnet run</c> that started it is killed: then nobody is left who would. A host
/// that was started in any other way outlives its parent, as a daemon should.
/// </summary>
/// <param name="lifetime">Stops the application.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed partial class ParentWatch(IHostApplicationLifetime lifetime, TimeProvider timeProvider) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var parent = GetParentProcessId();
        if (!IsDotnetRun(parent))
        {
            return;
        }

        using var timer = new PeriodicTimer(Interval, timeProvider);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            if (GetParentProcessId() != parent)
            {
                lifetime.StopApplication();
                return;
            }
        }
    }

    internal static bool IsDotnetRun(IReadOnlyList<string> commandLine) =>
        commandLine.Count > 1
        && Path.GetFileNameWithoutExtension(commandLine[0]) == "dotnet"
        && commandLine.Skip(1).FirstOrDefault(argument => !argument.StartsWith('-')) is "run" or "watch";

    private static bool IsDotnetRun(int processId)
    {
        try
        {
            return IsDotnetRun(File.ReadAllText($"/proc/{processId}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries));
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentProcessId();
}
