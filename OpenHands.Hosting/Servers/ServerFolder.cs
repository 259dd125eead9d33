using System.Diagnostics;
using System.Globalization;
using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Servers;

/// <summary>
/// The directory of one server, which one host at a time may use. Two locks guard it: <c>host.lock</c> is held by the
/// host from <see cref="Take"/> until its server has ended, <c>server.lock</c> by the server process itself, so that a
/// server which outlived its host is seen even when nothing else is known of it.
/// </summary>
internal sealed class ServerFolder(string server, string path) : IDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan KillTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private const int KillSignal = 9;

    private readonly Lock _gate = new();
    private FileStream? _hostLock;
    private int _running;

    /// <summary>The directory itself.</summary>
    public string Root { get; } = Path.GetFullPath(path);

    /// <summary>The server's data, below <see cref="Root"/>.</summary>
    public string Data => Path.Combine(Root, "data");

    /// <summary>The file that the server process holds locked.</summary>
    public string ServerLock => Path.Combine(Root, "server.lock");

    private string Owner => Path.Combine(Root, "host.txt");

    /// <summary>Creates the directory and takes it for this host; throws when another host has it.</summary>
    public void Take()
    {
        lock (_gate)
        {
            if (_hostLock is not null)
            {
                return;
            }

            OpenFolder.Create(Root);
            _hostLock = TryLock(Path.Combine(Root, "host.lock")) ?? throw new InvalidOperationException(
                $"{server}: {Root} is in use by another instance ({OwnerText()}). Stop that one, or choose another directory with --Data:Directory=<directory>.");
            File.WriteAllText(Owner, $"process {Environment.ProcessId}, {Process.GetCurrentProcess().ProcessName}");
        }
    }

    /// <summary>The server starts: the directory stays ours until <see cref="Ended"/>.</summary>
    public void Started()
    {
        lock (_gate)
        {
            Take();
            _running++;
        }
    }

    /// <summary>The server has ended, and with the last one the use of the directory.</summary>
    public void Ended()
    {
        lock (_gate)
        {
            if (--_running == 0)
            {
                Release();
            }
        }
    }

    /// <summary>Gives the directory up when no server works on it any more; one that is thrown away goes at once.</summary>
    public void Abandon(bool throwaway)
    {
        lock (_gate)
        {
            if (throwaway && _running == 0 && Directory.Exists(Root))
            {
                Directory.Delete(Root, recursive: true);
            }

            Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            Release();
        }
    }

    /// <summary>
    /// Ends a server that still works on this directory because its host and its guard were killed.
    /// </summary>
    /// <param name="pidFile">The file whose first line is its process id.</param>
    /// <param name="programs">The names it may have; another process with that id is left alone.</param>
    /// <param name="signal">The number of the signal that stops it.</param>
    /// <param name="progress">Gets a line when there is one.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public async Task EndLeftoverAsync(string pidFile, IReadOnlyList<string> programs, int signal, Action<string> progress, CancellationToken cancellationToken)
    {
        if (_running > 0)
        {
            throw new InvalidOperationException($"{server} is running.");
        }

        if (IsServerGone())
        {
            return;
        }

        progress($"{server}: stopping the server that an earlier run left behind");
        var id = ReadId(pidFile) is { } found && programs.Contains(NameOf(found)) ? found : (int?)null;
        if (await EndAsync(id, signal, StopTime, cancellationToken).ConfigureAwait(false)
            || await EndAsync(id, KillSignal, KillTime, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        throw new InvalidOperationException(
            $"{server}: a server of an earlier run still uses {Root} (process {id?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}). End it, or choose another directory with --Data:Directory=<directory>.");
    }

    /// <summary>The process id in the first line of a file, or null.</summary>
    public static int? ReadId(string file) =>
        File.Exists(file) && int.TryParse(File.ReadLines(file).FirstOrDefault(), CultureInfo.InvariantCulture, out var id) && id > 1 ? id : null;

    /// <summary>The program name of a running process, or null.</summary>
    public static string? NameOf(int id) => ReadProc(id, "comm")?.TrimEnd('\n');

    /// <summary>True when a running process has this argument on its command line.</summary>
    public static bool HasArgument(int id, string argument) => ReadProc(id, "cmdline")?.Split('\0').Contains(argument) ?? false;

    private static string? ReadProc(int id, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/{file}");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static FileStream? TryLock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(file))
        {
            return null;
        }
    }

    private bool IsServerGone()
    {
        using var free = TryLock(ServerLock);
        return free is not null;
    }

    private async Task<bool> EndAsync(int? id, int signal, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (id is { } process)
        {
            LibC.Signal(process, signal);
        }

        var start = TimeProvider.System.GetTimestamp();
        while (!IsServerGone())
        {
            if (TimeProvider.System.GetElapsedTime(start) > patience)
            {
                return false;
            }

            await Task.Delay(Poll, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private string OwnerText() => File.Exists(Owner) ? File.ReadAllText(Owner) : "a process unknown";

    private void Release()
    {
        _hostLock?.Dispose();
        _hostLock = null;
    }
}
