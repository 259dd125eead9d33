using System.Globalization;
using Npgsql;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Backups;

/// <summary>Brings a backup set into an empty database.</summary>
internal static class Restore
{
    /// <summary>Checks the set and, unless that is all, restores it.</summary>
    public static async Task<Outcome> RunAsync(
        Work work, string folder, bool checkOnly, bool ringOfTheSet, string? filesTo, string? postgres, CancellationToken cancellationToken)
    {
        var set = BackupSet.Open(folder);
        set.DemandFits(set.ReadKeyRing());
        if (!ringOfTheSet)
            set.DemandFits(work.Installation.Keys);
        if (checkOnly)
            return new Outcome($"{set.Folder} is whole and its key ring fits.", set.Manifest);
        if (Directory.Exists(set.Files) && filesTo is null)
            throw new OperatorException("The set holds files: say where they go with --files-to <folder>.");

        var connectionString = work.Installation.Administrator;
        await CreateDatabaseAsync(connectionString, cancellationToken);
        await using var administrator = await Installation.OpenAsync(connectionString, cancellationToken);
        await DemandEmptyAsync(administrator, cancellationToken);
        var programs = await PostgresPrograms.FindAsync(postgres, administrator.PostgreSqlVersion.Major, work, cancellationToken);
        work.Report("Making roles");
        await DemandRolesAsync(administrator, cancellationToken);
        work.Report("Reading the database");
        await programs.RunAsync(
            "pg_restore", connectionString,
            ["--no-password", "--exit-on-error", "--single-transaction", "--clean", "--if-exists", $"--dbname={administrator.Database}", set.Database], cancellationToken);
        await RestoreTenantKeysAsync(administrator, set, cancellationToken);
        if (filesTo is not null && Directory.Exists(set.Files))
            CopyFiles(set.Files, filesTo);
        await CompareAsync(administrator, set, cancellationToken);
        return new Outcome(
            string.Create(CultureInfo.InvariantCulture, $"""
            Restored what was backed up at {set.Manifest.CreatedAt:u}. Run the migration step, then start api and worker{(ringOfTheSet ? $" with the key ring of the set ({set.KeyRing})" : "")}.
            Afterwards: 'doctor', and 'audit verify --head {set.Manifest.AuditHead ?? "…"}'. Erasures since then must be done again.
            """),
            set.Manifest);
    }

    private static async Task CreateDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var name = settings.Database ?? throw new OperatorException("The connection string openhands-admin must name a database.");
        settings.Database = "postgres";
        await using var server = await Installation.OpenAsync(settings.ConnectionString, cancellationToken);
        try
        {
            await using var create = new NpgsqlCommand($"CREATE DATABASE {new NpgsqlCommandBuilder().QuoteIdentifier(name)}", server);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exists) when (exists.SqlState == PostgresErrorCodes.DuplicateDatabase)
        {
            // Then it must be empty.
        }
    }

    // A database that was only migrated is empty enough: nobody has been here.
    private static async Task DemandEmptyAsync(NpgsqlConnection administrator, CancellationToken cancellationToken)
    {
        if (await Backup.ValueAsync(administrator, "SELECT to_regclass('public.users')::text", cancellationToken) is not string)
            return;
        if (await Backup.ValueAsync(administrator, "SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM secrets)", cancellationToken) is true)
            throw new OperatorException($"The database {administrator.Database} holds data: a restore goes into an empty one. Drop it first if it is not needed.");
    }

    // Passwords are not part of a backup: the migration step sets them from the connection strings.
    private static async Task DemandRolesAsync(NpgsqlConnection administrator, CancellationToken cancellationToken)
    {
        foreach (var role in new[] { "openhands_owner", "openhands_app", "openhands_system" })
        {
            await using var create = new NpgsqlCommand(
                $"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; END $$", administrator);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static async Task RestoreTenantKeysAsync(NpgsqlConnection administrator, BackupSet set, CancellationToken cancellationToken)
    {
        foreach (var line in File.ReadLines(set.TenantKeys))
        {
            await using var insert = new NpgsqlCommand("INSERT INTO tenant_keys SELECT * FROM jsonb_populate_record(NULL::tenant_keys, $1::jsonb)", administrator);
            insert.Parameters.Add(new NpgsqlParameter { Value = line, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb });
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: false);
        }
    }

    private static async Task CompareAsync(NpgsqlConnection administrator, BackupSet set, CancellationToken cancellationToken)
    {
        foreach (var (table, expected) in set.Manifest.Rows)
        {
            var found = (long)(await Backup.ValueAsync(administrator, $"SELECT count(*) FROM {table}", cancellationToken))!;
            if (found != expected)
                throw new OperatorException(string.Create(CultureInfo.InvariantCulture, $"After the restore {table} has {found} rows instead of {expected}. Do not use this database."));
        }
    }
}
