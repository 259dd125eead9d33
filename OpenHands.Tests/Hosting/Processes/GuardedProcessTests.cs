using System.Collections.Concurrent;
using System.Diagnostics;
using OpenHands.Hosting.Processes;

namespace OpenHands.Tests.Hosting.Processes;

public sealed class GuardedProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task The_exit_code_is_the_programs()
    {
        await using var process = Shell("exit 7");

        Assert.Equal(7, await EndOf(process));
    }

    [Fact]
    public async Task All_output_arrives_in_order_before_the_exit_and_without_the_guards_own_line()
    {
        await using var process = Shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo problem >&2; printf 'no newline'");

        Assert.Equal(0, await EndOf(process));
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"line {i}").Append("no newline"), _output.Where(line => line != "! problem"));
        Assert.Contains("! problem", _output);
    }

    [Fact]
    public async Task The_process_id_is_the_programs_own()
    {
        await using var process = Shell("echo $$; echo ready; exec sleep 1000");
        await Ready();

        Assert.Equal((await process.ProcessId).ToString(), _output.First());
    }

    [Fact]
    public async Task Arguments_environment_and_working_directory_arrive_unchanged()
    {
        await using var process = GuardedProcess.Start(new()
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "echo \"$1|$2|$GREETING|${HOME-none}|$PWD\"", "sh", "a b $x 'q'", ""],
            Environment = new Dictionary<string, string?> { ["GREETING"] = "good day", ["HOME"] = null },
            WorkingDirectory = "/usr",
            Output = Collect,
        });

        Assert.Equal(0, await EndOf(process));
        Assert.Equal("a b $x 'q'||good day|none|/usr", Assert.Single(_output));
    }

    [Fact]
    public async Task A_program_that_is_not_there_ends_with_127_and_says_its_name()
    {
        await using var process = GuardedProcess.Start(new() { FileName = "/nowhere/server", Output = Collect });

        Assert.Equal(127, await EndOf(process));
        Assert.Contains(_output, line => line.Contains("/nowhere/server", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task Stopping_sends_the_chosen_signal_and_lets_the_program_finish(string signal)
    {
        await using var process = Shell($"trap 'echo asked; exit 3' {signal}; echo ready; while :; do sleep 0.05; done", signal);
        await Ready();

        await process.StopAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(3, await process.Exited);
        Assert.Equal(["ready", "asked"], _output);
    }

    [Fact]
    public async Task A_program_that_ignores_the_signal_is_killed_after_the_grace_period()
    {
        await using var process = GuardedProcess.Start(new()
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
            GracePeriod = TimeSpan.FromMilliseconds(200),
            Output = Collect,
        });
        await Ready();

        await process.StopAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(128 + 9, await process.Exited);
    }

    [Fact]
    public async Task Variables_reach_the_command_also_when_no_shell_could_name_them()
    {
        await using var process = GuardedProcess.Start(new()
        {
            FileName = "/usr/bin/env",
            Environment = new Dictionary<string, string?> { ["First-of__two"] = "a=1\n", ["Second.of two"] = "b'\"$", ["PLAIN"] = "c" },
            Output = Collect,
        });

        Assert.Equal(0, await EndOf(process));
        string[] lines = [.. _output];
        Assert.Contains("First-of__two=a=1", lines);
        Assert.Contains("Second.of two=b'\"$", lines);
        Assert.Contains("PLAIN=c", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("GUARDED_", StringComparison.Ordinal) || line.StartsWith("PERL_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Kill_does_not_wait_for_the_grace_period()
    {
        await using var process = GuardedProcess.Start(new()
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
            GracePeriod = TimeSpan.FromHours(1),
            Output = Collect,
        });
        await Ready();

        var stopping = process.StopAsync();
        process.Kill();

        Assert.Equal(128 + 9, await EndOf(process));
        await stopping;
    }

    [Fact]
    public async Task Stopping_right_after_the_start_leaves_nothing_running()
    {
        var processes = Enumerable.Range(0, 10).Select(_ => Shell("exec sleep 1000", "INT")).ToArray();

        await Task.WhenAll(processes.Select(process => process.StopAsync())).WaitAsync(Patience, TestContext.Current.CancellationToken);

        foreach (var process in processes)
        {
            Assert.Equal(128 + 2, await process.Exited);
            Assert.False(IsRunning(await process.ProcessId));
        }
    }

    [Fact]
    public async Task Stopping_twice_or_after_the_end_is_no_error()
    {
        await using var process = Shell("exit 0");
        Assert.Equal(0, await EndOf(process));

        await process.StopAsync();
        await process.StopAsync();
        process.Kill();
    }

    [Fact]
    public async Task What_the_program_leaves_in_its_process_group_ends_with_it()
    {
        await using var process = Shell("sleep 1000 & echo $!; exit 0");

        Assert.Equal(0, await EndOf(process));
        await Gone(int.Parse(Assert.Single(_output)));
    }

    [Fact]
    public async Task The_directory_is_removed_after_a_stop_with_its_empty_parent()
    {
        var parent = Directory.CreateTempSubdirectory("openhands-test-").FullName;
        var directory = Directory.CreateDirectory(Path.Combine(parent, "with space", "deep")).Parent!.FullName;
        await using var process = InDirectory(directory, "echo ready; exec sleep 1000");
        await Ready();

        await process.StopAsync();

        Assert.False(Directory.Exists(parent));
    }

    [Fact]
    public async Task The_directory_stays_when_the_program_ends_by_itself()
    {
        var directory = Directory.CreateTempSubdirectory("openhands-test-");
        await using var process = InDirectory(directory.FullName, "exit 1");

        Assert.Equal(1, await EndOf(process));

        Assert.True(directory.Exists);
        directory.Delete();
    }

    [Fact]
    public async Task A_host_that_is_killed_leaves_no_child_and_no_directory()
    {
        var directory = Directory.CreateTempSubdirectory("openhands-test-").FullName;

        // The first part of the pipeline stands for the host: it alone holds the other end of the guard's pipe.
        using var pipeline = StartPipeline("""
            { echo "host $(exec sh -c 'echo $PPID')" >&2; exec sleep 1000; } | setsid /bin/sh -c "$1" guard TERM 10 "$2" /bin/sh -c 'echo $$; exec sleep 1000'
            """, directory);
        var host = int.Parse((await pipeline.StandardError.ReadLineAsync(TestContext.Current.CancellationToken))!["host ".Length..]);
        var child = int.Parse((await pipeline.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!);
        Assert.True(IsRunning(child));

        Process.GetProcessById(host).Kill();
        await pipeline.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(128 + 15, pipeline.ExitCode);
        Assert.False(IsRunning(child));
        Assert.False(Directory.Exists(directory));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_guard_that_is_asked_to_stop_stops_the_program(string signal)
    {
        using var guard = Process.Start(new ProcessStartInfo("setsid", ["/bin/sh", "-c", GuardedProcess.Script, "guard", "TERM", "10", "", "/bin/sh", "-c", "echo ready; exec sleep 1000"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var child = int.Parse((await guard.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!);
        Assert.Equal("ready", await guard.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        using var kill = Process.Start("kill", ["-s", signal, guard.Id.ToString()]);
        await guard.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(128 + 15, guard.ExitCode);
        Assert.False(IsRunning(child));
    }

    [Fact]
    public async Task A_guard_that_is_killed_takes_the_program_with_it()
    {
        await using var process = Shell("echo $PPID; echo ready; exec sleep 1000");
        await Ready();
        var child = await process.ProcessId;

        Process.GetProcessById(int.Parse(_output.First())).Kill();

        Assert.Equal(128 + 9, await EndOf(process));
        await Gone(child);
    }

    [Fact]
    public async Task A_lock_file_is_held_by_the_program_and_refused_to_a_second_one()
    {
        var file = Path.GetTempFileName();
        await using var first = GuardedProcess.Start(new() { FileName = "/bin/sh", Arguments = ["-c", "echo ready; exec sleep 1000"], LockFile = file, Output = Collect });
        await Ready();

        await using var second = GuardedProcess.Start(new() { FileName = "/bin/true", LockFile = file, LockTimeout = TimeSpan.FromMilliseconds(50) });
        Assert.Equal(75, await EndOf(second));

        await first.StopAsync();
        await using var third = GuardedProcess.Start(new() { FileName = "/bin/true", LockFile = file, LockTimeout = TimeSpan.FromMilliseconds(50) });
        Assert.Equal(0, await EndOf(third));
        File.Delete(file);
    }

    private GuardedProcess Shell(string script, string stopSignal = "TERM") =>
        GuardedProcess.Start(new() { FileName = "/bin/sh", Arguments = ["-c", script], StopSignal = stopSignal, Output = Collect });

    private GuardedProcess InDirectory(string directory, string script) =>
        GuardedProcess.Start(new() { FileName = "/bin/sh", Arguments = ["-c", script], RemoveDirectory = directory, Output = Collect });

    private static Process StartPipeline(string script, string directory) =>
        Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, "pipeline", GuardedProcess.Script, directory])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static Task<int> EndOf(GuardedProcess process) => process.Exited.WaitAsync(Patience, TestContext.Current.CancellationToken);

    private Task Ready() => _ready.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    private void Collect(string line, bool isError)
    {
        _output.Enqueue(isError ? "! " + line : line);
        if (line == "ready")
        {
            _ready.TrySetResult();
        }
    }

    private static bool IsRunning(int id) =>
        File.Exists($"/proc/{id}/stat") && !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static async Task Gone(int id)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var tick = 0; IsRunning(id); tick++)
        {
            Assert.True(tick < 500, $"Process {id} is still running.");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
