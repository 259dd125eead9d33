using System.CommandLine;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Npgsql;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Diagnosis;

/// <summary>Everything that helps somebody else to help, and no secret.</summary>
internal static class SupportBundleCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };
    private static readonly Argument<FileInfo> File = new("file") { Description = "The zip file to write." };

    // Values of these are known to be no secret; of everything else only that it is set.
    private static readonly string[] Shown = ["Worker", "KeyRotation", "Cors", "WebClient", "Llm:DefaultModel", "Identity:Mode", "Identity:AllowRemote", "Identity:AllowedHosts", "DOTNET_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT"];

    /// <summary>The verb <c>support-bundle</c>.</summary>
    public static Command Create(Verbs verbs) => verbs.Verb(
        "support-bundle", "Writes a zip file for whoever helps: what 'doctor' finds, which settings are set, schema and sizes of tables. No secret, no password, no name of a user.",
        RunAsync, File);

    private static async Task<Outcome> RunAsync(Work work, CancellationToken cancellationToken)
    {
        var path = work.Arguments.GetValue(File)!.FullName;
        var parts = new Dictionary<string, object>
        {
            ["doctor.json"] = await DoctorCommand.RunAsync(work, cancellationToken),
            ["settings.json"] = Settings(work.Configuration),
            ["database.json"] = await DatabaseAsync(work, cancellationToken),
        };
        await using var file = PrivateFile.Create(path);
        using var zip = new ZipArchive(file, ZipArchiveMode.Create);
        foreach (var (name, content) in parts)
        {
            await using var entry = await zip.CreateEntry(name).OpenAsync(cancellationToken);
            await JsonSerializer.SerializeAsync(entry, content, Json, cancellationToken);
        }

        return new Outcome($"The bundle is {path}. Look into it before you send it.", new { File = path, Entries = parts.Keys });
    }

    private static SortedDictionary<string, string> Settings(IConfiguration configuration)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string[] sections = ["ConnectionStrings", "Secrets", "Identity", "Frontend", .. Shown];
        foreach (var (key, value) in configuration.AsEnumerable().Where(setting => setting.Value is not null))
        {
            if (sections.Any(section => Below(key, section)))
                settings[key] = Shown.Any(section => Below(key, section)) ? value! : "(set)";
        }

        return settings;
    }

    private static bool Below(string key, string section) =>
        key.Equals(section, StringComparison.OrdinalIgnoreCase) || key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);

    private static async Task<object> DatabaseAsync(Work work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
            return new
            {
                Version = connection.PostgreSqlVersion.ToString(),
                Migrations = await RowsAsync(connection, """SELECT migration_id FROM "__EFMigrationsHistory" ORDER BY 1""", cancellationToken),
                Tables = await RowsAsync(
                    connection,
                    """
                    SELECT relname || ': ' || n_live_tup || ' rows, ' || n_dead_tup || ' dead, ' || pg_size_pretty(pg_total_relation_size(relid))
                        || ', last autovacuum ' || coalesce(last_autovacuum::text, 'never')
                    FROM pg_stat_user_tables ORDER BY relname
                    """, cancellationToken),
                Settings = await RowsAsync(
                    connection, "SELECT name || ' = ' || setting FROM pg_settings WHERE source NOT IN ('default', 'override') AND name NOT LIKE '%file%' AND name NOT LIKE '%conninfo%' AND name NOT LIKE '%command%' ORDER BY 1", cancellationToken),
            };
        }
        catch (NpgsqlException failure)
        {
            return new { Problem = failure.GetBaseException().Message };
        }
    }

    private static async Task<List<string>> RowsAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var list = new List<string>();
        while (await rows.ReadAsync(cancellationToken))
            list.Add(rows.GetString(0));
        return list;
    }
}
