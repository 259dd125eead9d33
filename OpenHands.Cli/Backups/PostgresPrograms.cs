using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;

namespace OpenHands.Cli.Backups;

/// <summary>pg_dump and pg_restore, found as the embedded host finds PostgreSQL: a folder that was named, installed ones, else fetched.</summary>
internal sealed class PostgresPrograms(ServerBinaries binaries)
{
    /// <summary>Finds programs that are not older than the server.</summary>
    /// <param name="source">Null or <c>auto</c>, <c>provisioned</c>, or a folder.</param>
    /// <param name="serverVersion">Major version of the server.</param>
    /// <param name="work">Gets a line for every step that takes a while.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<PostgresPrograms> FindAsync(string? source, int serverVersion, Work work, CancellationToken cancellationToken)
    {
        var cache = HostDirectories.Find().Cache;
        var major = serverVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var found = await ServerBinaries.FindAsync(
            ServerProduct.Postgres, ServerSource.Parse(source, "--postgres"), cache, major, work.Report, cancellationToken);
        // A folder of the server alone, without the client's programs.
        if (!HasPrograms(found) && source is null)
        {
            found = await ServerBinaries.FindAsync(
                ServerProduct.Postgres, new ServerSource(null, UseInstalled: false), cache, major, work.Report, cancellationToken);
        }

        return HasPrograms(found)
            ? new PostgresPrograms(found)
            : throw new OperatorException($"{found.Folder} has no pg_dump and pg_restore. Install Debian's postgresql-client-{major}, or name a folder that has them with --postgres <folder>.");
    }

    /// <summary>Runs one of them against a server. The password travels in the environment, since everybody can read arguments.</summary>
    public async Task RunAsync(string program, string connectionString, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var result = await GuardedCommand.RunAsync(new GuardedProcessStart
        {
            FileName = binaries[program],
            Arguments = [.. arguments],
            WorkingDirectory = "/",
            Environment = new Dictionary<string, string?>(binaries.Environment)
            {
                ["PGHOST"] = settings.Host,
                ["PGPORT"] = settings.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["PGUSER"] = settings.Username,
                ["PGPASSWORD"] = settings.Password,
                ["PGDATABASE"] = settings.Database,
                ["PGAPPNAME"] = "openhands operator",
            },
        }, cancellationToken);
        if (!result.Succeeded)
            throw new OperatorException($"{program} failed: {result.Tail}");
    }

    private static bool HasPrograms(ServerBinaries binaries) => File.Exists(binaries["pg_dump"]) && File.Exists(binaries["pg_restore"]);
}
