namespace OpenHands.Hosting.Processes;

/// <summary>Runs a short command to its end, guarded like a server: it ends with this process too.</summary>
internal static class GuardedCommand
{
    /// <summary>Runs the command and returns what it said. Cancelling stops it.</summary>
    public static async Task<CommandResult> RunAsync(GuardedProcessStart start, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var output = new List<string>();
        var errors = new List<string>();
        await using var process = GuardedProcess.Start(start with
        {
            Output = (line, isError) =>
            {
                var lines = isError ? errors : output;
                lock (lines)
                {
                    lines.Add(line);
                }
            },
        });

        return new CommandResult(await process.Exited.WaitAsync(cancellationToken).ConfigureAwait(false), output, errors);
    }
}

/// <summary>How a command ended and what it said, line by line.</summary>
internal sealed record CommandResult(int ExitCode, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)
{
    /// <summary>True when the exit code is 0.</summary>
    public bool Succeeded => ExitCode == 0;

    /// <summary>The last lines of both streams, for an error message.</summary>
    public string Tail => string.Join(Environment.NewLine, Output.TakeLast(10).Concat(Errors.TakeLast(10)));
}
