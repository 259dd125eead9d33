using System.Text;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;

namespace OpenHands.Hosting.Servers;

/// <summary>Redis (or Valkey) as a process of this machine: loopback only, its password in a file, never as root.</summary>
internal sealed class RedisServer(RedisServerOptions options) : ILocalServer
{
    private const string Name = "Redis";
    private const int Terminate = 15;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly ServerFolder _folder = new(Name, options.DataDirectory);
    private (ServerBinaries Binaries, ServerAccount Account)? _prepared;

    private string Configuration => Path.Combine(_folder.Root, "redis.conf");

    private string PidFile => Path.Combine(_folder.Data, "redis.pid");

    /// <inheritdoc/>
    public string? Program => _prepared?.Binaries.Server;

    /// <inheritdoc/>
    public async Task PrepareAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        _folder.Take();
        try
        {
            var source = ServerSource.Parse(options.Source, ServerProduct.Redis.SourceKey);
            var binaries = await ServerBinaries.FindAsync(ServerProduct.Redis, source, options.CacheDirectory, null, progress, cancellationToken).ConfigureAwait(false);
            var account = await ServerAccount.ChooseAsync([binaries.Folder, _folder.Root], cancellationToken).ConfigureAwait(false);
            await _folder.EndLeftoverAsync(PidFile, ["redis-server", "valkey-server"], Terminate, progress, cancellationToken).ConfigureAwait(false);

            Directory.CreateDirectory(_folder.Data, OwnerOnly | UnixFileMode.UserExecute);
            account.TakeOver(_folder.Data);
            WriteConfiguration(account);
            _prepared = (binaries, account);
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
        LoopbackPort.DemandFree(options.Port, Name, "--Ports:Redis");
        _folder.Started();
        try
        {
            return GuardedProcess.Start(new()
            {
                FileName = binaries.Server,
                Arguments = [Configuration, .. options.ExtraArguments, .. options.Throwaway ? ["--save", ""] : Array.Empty<string>()],
                Environment = binaries.Environment,
                WorkingDirectory = "/",
                Account = account,
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

    /// <summary>A value as Redis' configuration file wants it: in quotes, with every byte that is not plain ASCII escaped.</summary>
    internal static string Quote(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            var plain = octet is > 0x20 and < 0x7f && octet is not ((byte)'"' or (byte)'\\');
            _ = plain ? quoted.Append((char)octet) : quoted.Append($"\\x{octet:x2}");
        }

        return quoted.Append('"').ToString();
    }

    private void WriteConfiguration(ServerAccount account)
    {
        File.Delete(Configuration);
        using (var file = new FileStream(Configuration, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        using (var writer = new StreamWriter(file))
        {
            foreach (var line in Settings())
            {
                writer.WriteLine(line);
            }
        }

        account.TakeOver(Configuration);
    }

    private IEnumerable<string> Settings()
    {
        yield return $"bind {string.Join(' ', LoopbackPort.Addresses)}";
        yield return $"port {options.Port}";
        yield return "protected-mode yes";
        yield return "daemonize no";
        yield return "logfile \"\"";
        yield return $"dir {Quote(_folder.Data)}";
        yield return $"pidfile {Quote(PidFile)}";
        yield return "maxmemory-policy noeviction";
        yield return "save \"\"";
        yield return options.Throwaway ? "appendonly no" : "appendonly yes";
        yield return "appendfsync everysec";
        if (!string.IsNullOrEmpty(options.Password))
        {
            yield return $"requirepass {Quote(options.Password)}";
        }
    }
}
