using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Secrets;

namespace OpenHands.Cli.Tenants;

/// <summary>Brings an exported tenant into an installation, all or nothing.</summary>
internal sealed class TenantImport(NpgsqlConnection administrator, Installation installation, KeyRing exportKeys, TimeProvider time)
{
    /// <summary>Reads the file and, unless it is a dry run, commits.</summary>
    /// <returns>Whose it is, and rows by table.</returns>
    public async Task<(TenantScope Scope, IReadOnlyDictionary<string, long> Rows)> ReadAsync(string path, bool dryRun, CancellationToken cancellationToken)
    {
        var lines = File.ReadLines(path).GetEnumerator();
        using var _ = lines;
        var scope = lines.MoveNext() ? Scope(Parse(lines.Current)) : throw NoExport(path);
        await using var transaction = await administrator.BeginTransactionAsync(cancellationToken);
        var tenants = new TenantKeys(installation.Configuration, time);
        var (from, own) = (new SecretCipher(exportKeys), new SecretCipher(installation.Keys, tenants));
        var counts = new Dictionary<string, long>();
        while (lines.MoveNext())
        {
            var line = Parse(lines.Current);
            if (TenantTable.All.SingleOrDefault(table => table.Name == (string?)line["table"]) is not { } table || line["row"] is not JsonObject row)
                throw NoExport(path);
            if (table.Ciphertexts is not null)
                await tenants.LoadAsync(administrator, [scope.Owner], create: true, cancellationToken);
            TenantCiphertexts.Move(table, row, from, own);
            counts[table.Name] = counts.GetValueOrDefault(table.Name) + await InsertAsync(table, row, scope, cancellationToken);
        }

        if (!dryRun)
            await transaction.CommitAsync(cancellationToken);
        return (scope, counts);

        JsonObject Parse(string text)
        {
            try
            {
                return JsonNode.Parse(text) as JsonObject ?? throw NoExport(path);
            }
            catch (JsonException)
            {
                throw NoExport(path);
            }
        }

        TenantScope Scope(JsonObject first)
        {
            if ((string?)first["format"] != TenantExport.Format || (string?)first["kind"] is not { } kind || (string?)first["id"] is not { } id)
                throw NoExport(path);
            return (string?)first["key_id"] == exportKeys.KeyIds[0]
                ? new TenantScope(kind, id)
                : throw new OperatorException($"The key does not fit the export, which needs {first["key_id"]}. Pass the --key-file that it was made with.");
        }
    }

    private async Task<int> InsertAsync(TenantTable table, JsonObject row, TenantScope scope, CancellationToken cancellationToken)
    {
        // What points into the installation that it came from stays behind; members who are here already stay as they are.
        if (table.Name == "users")
            row["active_organization_id"] = null;
        if (table.Name == "organizations")
            row["default_of_user_id"] = null;
        var members = table.Name == "users" ? " ON CONFLICT (id) DO NOTHING" : "";
        await using var insert = new NpgsqlCommand($"INSERT INTO {table.Name} SELECT * FROM jsonb_populate_record(NULL::{table.Name}, $1::jsonb){members}", administrator);
        insert.Parameters.Add(new NpgsqlParameter { Value = row.ToJsonString(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb });
        try
        {
            return await insert.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new OperatorException(table.Name == "users"
                ? "A user of this installation has the address of a user of the export. Nothing was imported."
                : $"{scope} has rows here already ({table.Name}). Nothing was imported.");
        }
    }

    private static OperatorException NoExport(string path) => new($"{path} is no export of a tenant, or was cut off. Nothing was imported.");
}
