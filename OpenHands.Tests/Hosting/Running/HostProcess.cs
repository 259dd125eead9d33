using System.Collections.Concurrent;
using System.Diagnostics;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Projects;
using OpenHands.Tests.Application;

namespace OpenHands.Tests.Hosting.Running;

/// <summary>The AppHost as a program of its own, as a user starts it; everything it starts carries a mark in its environment.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private const string MarkName = "OPENHANDS_TEST_MARK";
    private readonly string _mark = Guid.CreateVersion7().ToString("N");
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<Uri> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostProcess(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment[MarkName] = _mark;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException($"The host ended:\n{Output}"));
    }

    public string Output => string.Join('\n', _output);

    public int ProcessId => _process.Id;

    // bin/<configuration>/<framework> of this assembly, which is built as the AppHost is.
    private static string Framework { get; } = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    private static string Configuration { get; } = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;

    /// <summary>The built AppHost: not the copy beside the tests, which lacks what they get from elsewhere.</summary>
    public static string Program { get; } = Path.Combine(Projects.OpenHands_AppHost.ProjectPath, "bin", Configuration, Framework, "OpenHands.AppHost.dll");

    /// <summary>Starts the built AppHost.</summary>
    public static HostProcess Start(params string[] args) => new(ProjectAssemblies.Dotnet, ["exec", Program, .. args]);

    /// <summary>Starts it as the README says.</summary>
    public static HostProcess StartByDotnetRun(params string[] args) =>
        new(ProjectAssemblies.Dotnet, ["run", "--no-build", "--configuration", Configuration, "--project", Projects.OpenHands_AppHost.ProjectPath, "--", .. args]);

    /// <summary>A port that nobody has at the moment, for a program that is told its port.</summary>
    public static int FreePort()
    {
        using var reservation = PortReservation.Any();
        return reservation.Port;
    }

    /// <summary>Waits for the line that says where the API is.</summary>
    public Task<Uri> ReadyAsync() => _ready.Task.WaitAsync(ApplicationFixture.Patience, TestContext.Current.CancellationToken);

    /// <summary>Waits until the program has ended, and says with which code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(ApplicationFixture.Patience);
        return _process.ExitCode;
    }

    /// <summary>Sends a signal to the program alone.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-s", name, $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>The processes that it, or anything it started, has left running.</summary>
    public IReadOnlyList<int> Remaining() =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!)).Where(HasMark)];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal("TERM");
            await EndAsync();
        }

        _process.Dispose();
    }

    private bool HasMark(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/environ").Contains($"{MarkName}={_mark}", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _output.Enqueue(line);
        const string ready = "OpenHands is ready: ";
        if (line.StartsWith(ready, StringComparison.Ordinal))
        {
            _ready.TrySetResult(new Uri(line[ready.Length..]));
        }
    }
}
