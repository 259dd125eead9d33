using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace OpenHands.Hosting.Processes;

/// <summary>
/// A child process that never outlives this one, however this one dies: a small shell between the two holds the read
/// end of a pipe from us and stops the child when the pipe ends (<c>guard.sh</c>). The child has its own session, so
/// that Ctrl+C in the terminal reaches only us and children can be stopped in order.
/// </summary>
internal sealed partial class GuardedProcess : IAsyncDisposable
{
    private const int Interrupt = 2;
    private const int Terminate = 15;
    private static readonly TimeSpan OutputAfterExit = TimeSpan.FromSeconds(2);
    internal static readonly string Script = ReadScript();

    private readonly Process _guard;
    private readonly TimeSpan _gracePeriod;
    private readonly string _stopSignal;
    private readonly Lock _pipe = new();
    private readonly Action<string, bool>? _output;
    private readonly Action? _ended;
    private readonly TaskCompletionSource<int> _processId = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GuardedProcess(Process guard, GuardedProcessStart start)
    {
        _guard = guard;
        _gracePeriod = start.GracePeriod;
        _stopSignal = start.StopSignal;
        _output = start.Output;
        _ended = start.Ended;
        Exited = FollowAsync();
        // Nobody has to look at a process id that never came.
        _ = _processId.Task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>The process id of the program itself; fails when it ended before it had one.</summary>
    public Task<int> ProcessId => _processId.Task;

    /// <summary>Completes with the program's exit code (128 + n after signal n, 127 when there is no such program) once it and its output have ended.</summary>
    public Task<int> Exited { get; }

    /// <summary>Starts the program.</summary>
    public static GuardedProcess Start(GuardedProcessStart start)
    {
        var info = new ProcessStartInfo("setsid", [
            "/bin/sh", "-c", Script, "guard",
            start.StopSignal,
            Seconds(start.GracePeriod),
            start.RemoveDirectory is null ? "" : Path.GetFullPath(start.RemoveDirectory).TrimEnd('/'),
            .. Locked(start),
            .. start.Account?.CommandPrefix ?? [],
            start.FileName,
            .. start.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = start.WorkingDirectory ?? (start.Account is { CommandPrefix.Count: > 0 } ? "/" : ""),
        };

        foreach (var (name, value) in start.Environment)
        {
            info.Environment[name] = value;
        }

        PackNames(info.Environment);
        var guard = Process.Start(info) ?? throw new InvalidOperationException($"{start.FileName} was not started.");
        return new GuardedProcess(guard, start);
    }

    /// <summary>Asks the program to stop, kills it after the grace period, and returns when it has ended. May be called again.</summary>
    public async Task StopAsync()
    {
        // A signal that arrives before the program has replaced the shells in front of it could be lost.
        await Task.WhenAny(ProcessId, Exited).ConfigureAwait(false);
        Tell("stop");
        await Exited.ConfigureAwait(false);
    }

    /// <summary>
    /// Stops the program past its guard, which takes it for a program that has ended by itself and keeps its directory.
    /// Kills it after the grace period; returns when it has ended.
    /// </summary>
    public async Task HaltAsync()
    {
        await Task.WhenAny(ProcessId, Exited).ConfigureAwait(false);
        if (ProcessId.IsCompletedSuccessfully && !Exited.IsCompleted)
        {
            LibC.Signal(await ProcessId.ConfigureAwait(false), _stopSignal == "INT" ? Interrupt : Terminate);
        }

        try
        {
            await Exited.WaitAsync(_gracePeriod).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Kill();
            await Exited.ConfigureAwait(false);
        }
    }

    /// <summary>Kills the program at once; <see cref="Exited"/> says when it is gone.</summary>
    public void Kill() => Tell("kill");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _guard.Dispose();
    }

    // `flock` becomes the program, which inherits the locked file; it must come before root is dropped.
    /// <summary>
    /// A shell drops the variables whose names it cannot write itself, such as <c>ConnectionStrings__openhands-admin</c>:
    /// they travel past it under other names, with their own in front of the value.
    /// </summary>
    private static void PackNames(IDictionary<string, string?> environment)
    {
        foreach (var (index, name) in environment.Keys.Where(name => !ShellName().IsMatch(name)).ToList().Index())
        {
            environment[$"GUARDED_VARIABLE_{index}"] = $"{name}={environment[name]}";
            environment.Remove(name);
        }

        // The perl behind the shell is not to complain about a locale the machine does not have.
        environment["PERL_BADLANG"] = "0";
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex ShellName();

    private static IEnumerable<string> Locked(GuardedProcessStart start) => start.LockFile is null
        ? []
        : ["flock", "--no-fork", "--timeout", Seconds(start.LockTimeout), "--conflict-exit-code", "75", start.LockFile];

    private static string Seconds(TimeSpan time) => Math.Max(0, time.TotalSeconds).ToString("0.###", CultureInfo.InvariantCulture);

    private static string ReadScript()
    {
        using var script = typeof(GuardedProcess).Assembly.GetManifestResourceStream("guard.sh")
            ?? throw new InvalidOperationException("guard.sh is not part of the assembly.");
        using var reader = new StreamReader(script);
        // Without the comments, since the whole of it shows in `ps`.
        return string.Join('\n', reader.ReadToEnd().Split('\n').Where(line => line.TrimStart() is not ("" or ['#', ..])));
    }

    private void Tell(string word)
    {
        lock (_pipe)
        {
            if (Exited.IsCompleted)
            {
                return;
            }

            try
            {
                _guard.StandardInput.WriteLine(word);
                _guard.StandardInput.Flush();
            }
            catch (IOException)
            {
                // The guard has ended in between: so has the program.
            }
        }
    }

    private async Task<int> FollowAsync()
    {
        var output = Task.WhenAll(
            Task.Run(ReadOutputAsync),
            Task.Run(() => PassOnAsync(_guard.StandardError, isError: true)));
        await _guard.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);

        // Ends the pipe also for the part of the guard that is left when somebody killed the guard.
        lock (_pipe)
        {
            _guard.StandardInput.Close();
        }

        try
        {
            await output.WaitAsync(OutputAfterExit).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A daemon the program left in a session of its own holds the streams; its output is not ours to wait for.
        }

        _processId.TrySetException(new InvalidOperationException($"The process ended with exit code {_guard.ExitCode} before it ran."));
        _ended?.Invoke();
        return _guard.ExitCode;
    }

    private async Task ReadOutputAsync()
    {
        if (int.TryParse(await _guard.StandardOutput.ReadLineAsync().ConfigureAwait(false), out var id))
        {
            _processId.TrySetResult(id);
        }

        await PassOnAsync(_guard.StandardOutput, isError: false).ConfigureAwait(false);
    }

    private async Task PassOnAsync(StreamReader stream, bool isError)
    {
        while (await stream.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            _output?.Invoke(line, isError);
        }
    }
}
