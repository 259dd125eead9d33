using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;

namespace OpenHands.Hosting.Servers;

/// <summary>Makes a new database cluster: the data directory appears complete or not at all.</summary>
internal sealed class PostgresCluster(ServerFolder folder, ServerBinaries binaries, ServerAccount account)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string Work => folder.Data + ".new";

    private string PasswordFile => Path.Combine(folder.Root, "initdb-password");

    /// <summary>Runs <c>initdb</c> beside the final place and moves the result there.</summary>
    public async Task CreateAsync(PostgresServerOptions options, CancellationToken cancellationToken)
    {
        Clean();
        Directory.CreateDirectory(Work, OwnerOnly | UnixFileMode.UserExecute);
        account.TakeOver(Work);
        try
        {
            WritePassword(options.Password);
            var locale = await FindLocaleAsync(cancellationToken).ConfigureAwait(false);
            var result = await GuardedCommand.RunAsync(new()
            {
                FileName = binaries["initdb"],
                Arguments = [
                    "--pgdata", Work, "--username", options.UserName, "--pwfile", PasswordFile, "--auth", "scram-sha-256",
                    "--encoding", "UTF8", "--locale", locale, .. options.Throwaway ? ["--no-sync"] : Array.Empty<string>()],
                Environment = binaries.Environment,
                WorkingDirectory = "/",
                Account = account,
                LockFile = folder.ServerLock,
                RemoveDirectory = options.Throwaway ? folder.Root : null,
            }, cancellationToken).ConfigureAwait(false);
            if (!result.Succeeded)
            {
                throw new InvalidOperationException($"PostgreSQL: initdb failed as {account.Name}: {result.Tail}");
            }

            Directory.Move(Work, folder.Data);
        }
        finally
        {
            Clean();
        }
    }

    // Sorting and case rules that do not depend on the machine, but know more letters than ASCII where they can.
    private static async Task<string> FindLocaleAsync(CancellationToken cancellationToken)
    {
        var result = await GuardedCommand.RunAsync(new() { FileName = "locale", Arguments = ["-a"] }, cancellationToken).ConfigureAwait(false);
        return result.Output.Any(name => name is "C.utf8" or "C.UTF-8") ? "C.UTF-8" : "C";
    }

    private void WritePassword(string password)
    {
        using (var file = new FileStream(PasswordFile, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        using (var writer = new StreamWriter(file))
        {
            writer.WriteLine(password);
        }

        account.TakeOver(PasswordFile);
    }

    private void Clean()
    {
        // The whole folder is gone when the preparation of a throw-away server was stopped.
        if (File.Exists(PasswordFile))
        {
            File.Delete(PasswordFile);
        }

        if (Directory.Exists(Work))
        {
            Directory.Delete(Work, recursive: true);
        }
    }
}
