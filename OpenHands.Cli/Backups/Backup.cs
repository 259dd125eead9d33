using System.Data;
using System.Globalization;
using Npgsql;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Backups;

/// <summary>Writes a backup set, as of one moment.</summary>
internal static class Backup
{
    /// <summary>Tables whose rows a restore counts.</summary>
    internal static readonly string[] Counted = ["users", "organizations", "organization_memberships", "secrets", "secret_versions", "user_settings", "sessions", "api_keys", "audit_events", "audit_seals"];

    /// <summary>Writes it.</summary>
    public static async Task<Outcome> WriteAsync(Work work, string folder, IReadOnlyList<FileSystemInfo> include, string? postgres, CancellationToken cancellationToken)
    {
        var keys = work.Installation.Keys;
        PrivateFile.CreateFolder(folder);
        var set = new BackupSet(folder);
        await using var administrator = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        var programs = await PostgresPrograms.FindAsync(postgres, administrator.PostgreSqlVersion.Major, work, cancellationToken);

        // pg_dump, the keys of tenants and the counts see the same moment.
        await using var moment = await administrator.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var snapshot = (string)(await ValueAsync(administrator, "SELECT pg_export_snapshot()", cancellationToken))!;
        work.Report("Writing the database");
        PrivateFile.Create(set.Database).Dispose();
        await programs.RunAsync(
            "pg_dump", work.Installation.Administrator,
            ["--format=custom", "--no-password", $"--snapshot={snapshot}", "--exclude-table-data=public.tenant_keys", $"--file={set.Database}"], cancellationToken);
        await WriteLinesAsync(set.TenantKeys, await ListAsync(administrator, "SELECT to_jsonb(t)::text FROM tenant_keys t ORDER BY id", cancellationToken));
        await WriteLinesAsync(set.KeyRing, keys.Texts());
        foreach (var path in include)
            Copy(path, set.Files);

        var used = await ListAsync(administrator, "SELECT id FROM encryption_keys ORDER BY id", cancellationToken);
        var rows = new Dictionary<string, long>();
        foreach (var table in Counted)
            rows[table] = (long)(await ValueAsync(administrator, $"SELECT count(*) FROM {table}", cancellationToken))!;
        set.Seal(new BackupManifest(
            BackupManifest.CurrentFormat, work.Time.GetUtcNow(), administrator.PostgreSqlVersion.ToString(),
            (string)(await ValueAsync(administrator, """SELECT max(migration_id) FROM "__EFMigrationsHistory" """, cancellationToken))!, keys.KeyIds, used,
            await ValueAsync(administrator, "SELECT number || ':' || encode(hash, 'hex') FROM audit_seals ORDER BY number DESC LIMIT 1", cancellationToken) as string, rows,
            new Dictionary<string, string>()));
        set.DemandFits(keys);
        return new Outcome(
            string.Create(CultureInfo.InvariantCulture, $"The set is in {set.Folder}: {rows["secrets"]} secrets, {rows["sessions"]} sessions, {set.Manifest.Files.Count} files. Whoever has it can read every secret in it."),
            set.Manifest);
    }

    internal static async Task<object?> ValueAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<List<string>> ListAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var list = new List<string>();
        while (await rows.ReadAsync(cancellationToken))
            list.Add(rows.GetString(0));
        return list;
    }

    private static async Task WriteLinesAsync(string path, IEnumerable<string> lines)
    {
        await using var writer = new StreamWriter(PrivateFile.Create(path));
        foreach (var line in lines)
            await writer.WriteLineAsync(line);
    }

    private static void Copy(FileSystemInfo from, string to)
    {
        if (!from.Exists)
            throw new OperatorException($"There is no {from.FullName} to take along.");
        var target = Path.Combine(to, from.Name);
        Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (File.Exists(from.FullName))
        {
            File.Copy(from.FullName, target);
            return;
        }

        foreach (var entry in new DirectoryInfo(from.FullName).EnumerateFileSystemInfos())
            Copy(entry, target);
    }
}
