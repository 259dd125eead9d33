using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Servers;

/// <summary>A server of others that runs as a process of this machine. Disposing it lets go of its data directory.</summary>
internal interface ILocalServer : IDisposable
{
    /// <summary>The program it runs; null until it is prepared.</summary>
    string? Program { get; }

    /// <summary>
    /// Does what must be done once before the server can start: finds or fetches its programs, takes its data
    /// directory for this host, makes the data on first use, and ends what a killed run has left behind.
    /// Throws <see cref="InvalidOperationException"/> with what to do when it cannot.
    /// </summary>
    /// <param name="progress">Gets a line for every step that takes a while.</param>
    /// <param name="cancellationToken">Stops the preparation and everything it started.</param>
    Task PrepareAsync(Action<string> progress, CancellationToken cancellationToken);

    /// <summary>
    /// Starts the server, also again after it has ended. Throws <see cref="InvalidOperationException"/> when its port
    /// is taken.
    /// </summary>
    /// <param name="output">Gets every line the server writes and whether it came from standard error.</param>
    GuardedProcess Start(Action<string, bool> output);
}
