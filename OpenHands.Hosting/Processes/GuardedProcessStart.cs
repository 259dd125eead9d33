namespace OpenHands.Hosting.Processes;

/// <summary>What a <see cref="GuardedProcess"/> runs, and how it is stopped.</summary>
internal sealed record GuardedProcessStart
{
    /// <summary>The program: a path, or a name that is looked up on PATH.</summary>
    public required string FileName { get; init; }

    /// <summary>Its arguments, passed on as they are (no shell reads them).</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables added to the inherited environment; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The working directory; null: this process's own, or <c>/</c> under another account.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The signal that asks the program to stop, without "SIG".</summary>
    public string StopSignal { get; init; } = "TERM";

    /// <summary>How long the program may take to stop before it is killed.</summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The account the program runs under; null: the one of this process.</summary>
    public ServerAccount? Account { get; init; }

    /// <summary>
    /// A directory that is removed when the program was stopped or this process died, together with its parent if
    /// that is empty then. It stays when the program ends by itself, so that a crashed server finds its data again.
    /// </summary>
    public string? RemoveDirectory { get; init; }

    /// <summary>A file the program holds locked (flock) while it or a child of it lives; null: none.</summary>
    public string? LockFile { get; init; }

    /// <summary>How long the program waits for the lock file before it gives up with exit code 75.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets every line of output and whether it came from standard error. Called from pool threads, one line at a time per stream; must not throw.</summary>
    public Action<string, bool>? Output { get; init; }

    /// <summary>Runs once the program and its output have ended, before <see cref="GuardedProcess.Exited"/> completes; must not throw.</summary>
    public Action? Ended { get; init; }
}
