using System.Text.RegularExpressions;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;

namespace OpenHands.Hosting.Servers;

/// <summary>PostgreSQL as a process of this machine: loopback only, with a password, never as root.</summary>
internal sealed partial class PostgresServer(PostgresServerOptions options) : ILocalServer
{
    private const string Name = "PostgreSQL";
    private const int Interrupt = 2;

    private readonly ServerFolder _folder = new(Name, options.DataDirectory);
    private (ServerBinaries Binaries, ServerAccount Account)? _prepared;

    private string PidFile => Path.Combine(_folder.Data, "postmaster.pid");

    private string VersionFile => Path.Combine(_folder.Data, "PG_VERSION");

    /// <inheritdoc/>
    public string? Program => _prepared?.Binaries.Server;

    /// <inheritdoc/>
    public async Task PrepareAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        _folder.Take();
        try
        {
            await PrepareFolderAsync(progress, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _folder.Abandon(options.Throwaway);
            throw;
        }
    }

    /// <inheritdoc/>
    public GuardedProcess Start(Action<string, bool> output)
    {
        var (binaries, account) = _prepared ?? throw new InvalidOperationException($"{Name} has not been prepared.");
        LoopbackPort.DemandFree(options.Port, Name, "--Ports:Postgres");
        _folder.Started();
        try
        {
            RemoveStalePidFile();
            return GuardedProcess.Start(new()
            {
                FileName = binaries.Server,
                Arguments = ["-D", _folder.Data, .. Settings().SelectMany(setting => new[] { "-c", setting })],
                Environment = binaries.Environment,
                WorkingDirectory = "/",
                Account = account,
                // Fast shutdown: TERM would wait for every client to leave.
                StopSignal = "INT",
                LockFile = _folder.ServerLock,
                RemoveDirectory = options.Throwaway ? _folder.Root : null,
                Output = output,
                Ended = _folder.Ended,
            });
        }
        catch
        {
            _folder.Ended();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Abandon(options.Throwaway);

    [GeneratedRegex(@"\(PostgreSQL\) (\d+)")]
    private static partial Regex MajorVersion();

    private async Task PrepareFolderAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var dataVersion = File.Exists(VersionFile) ? (await File.ReadAllTextAsync(VersionFile, cancellationToken).ConfigureAwait(false)).Trim() : null;
        var source = ServerSource.Parse(options.Source, ServerProduct.Postgres.SourceKey);
        var binaries = await ServerBinaries.FindAsync(ServerProduct.Postgres, source, options.CacheDirectory, dataVersion, progress, cancellationToken).ConfigureAwait(false);
        var account = await ServerAccount.ChooseAsync([binaries.Folder, _folder.Root], cancellationToken).ConfigureAwait(false);

        await _folder.EndLeftoverAsync(PidFile, ["postgres"], Interrupt, progress, cancellationToken).ConfigureAwait(false);
        if (dataVersion is null)
        {
            progress($"{Name}: creating a database cluster in {_folder.Data}");
            await new PostgresCluster(_folder, binaries, account).CreateAsync(options, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await DemandVersionAsync(binaries, dataVersion, cancellationToken).ConfigureAwait(false);
            RemoveStalePidFile();
            account.TakeOver(_folder.Data);
        }

        _prepared = (binaries, account);
    }

    private async Task DemandVersionAsync(ServerBinaries binaries, string dataVersion, CancellationToken cancellationToken)
    {
        var line = await binaries.GetVersionAsync(cancellationToken).ConfigureAwait(false);
        var version = MajorVersion().Match(line).Groups[1].Value;
        if (version != dataVersion)
        {
            throw new InvalidOperationException(
                $"{Name}: the data in {_folder.Data} needs version {dataVersion}, and {binaries.Server} is version {version}. " +
                $"Install PostgreSQL {dataVersion}, pass {ServerProduct.Postgres.SourceKey}=<folder with its programs>, or choose another --Data:Directory.");
        }
    }

    // PostgreSQL does not start when any process of its account now has the number of a server that was killed.
    private void RemoveStalePidFile()
    {
        if (ServerFolder.ReadId(PidFile) is not { } id)
        {
            return;
        }

        if (ServerFolder.NameOf(id) == "postgres" && ServerFolder.HasArgument(id, _folder.Data))
        {
            throw new InvalidOperationException(
                $"{Name}: {_folder.Data} is in use by process {id}, which this host did not start. Stop it, or choose another directory with --Data:Directory=<directory>.");
        }

        File.Delete(PidFile);
    }

    private IEnumerable<string> Settings()
    {
        yield return $"listen_addresses={string.Join(',', LoopbackPort.Addresses)}";
        yield return $"port={options.Port}";
        yield return "unix_socket_directories=";
        yield return $"max_connections={options.MaxConnections}";
        yield return "jit=off";
        yield return "logging_collector=off";
        yield return "log_destination=stderr";
        if (options.Throwaway)
        {
            // Commits stay synchronous: what was acknowledged survives a crash of the server, though not of the machine.
            yield return "fsync=off";
            yield return "full_page_writes=off";
        }
    }
}
