using System.Data;
using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Secrets;

namespace OpenHands.Cli.Tenants;

/// <summary>Writes a tenant as JSON lines: first what it is, then a line per row, as of one moment.</summary>
internal sealed class TenantExport(NpgsqlConnection administrator, Installation installation, KeyRing exportKeys, TimeProvider time)
{
    /// <summary>The first member of the first line.</summary>
    public const string Format = "openhands-tenant-1";

    /// <summary>Writes it.</summary>
    /// <returns>Rows by table.</returns>
    public async Task<IReadOnlyDictionary<string, long>> WriteAsync(TenantScope scope, TextWriter output, CancellationToken cancellationToken)
    {
        await using var moment = await administrator.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var tenants = new TenantKeys(installation.Configuration, time);
        await tenants.LoadAsync(administrator, [scope.Owner], create: false, cancellationToken);
        var (own, export) = (new SecretCipher(installation.Keys, tenants), new SecretCipher(exportKeys));

        var counts = new Dictionary<string, long>();
        await output.WriteLineAsync(new JsonObject
        {
            ["format"] = Format,
            ["kind"] = scope.Kind,
            ["id"] = scope.Id,
            ["exported_at"] = time.GetUtcNow(),
            ["key_id"] = exportKeys.KeyIds[0],
        }.ToJsonString());
        foreach (var table in TenantTable.All)
        {
            foreach (var row in await RowsAsync(administrator, table, scope, cancellationToken))
            {
                TenantCiphertexts.Move(table, row, own, export);
                await output.WriteLineAsync(new JsonObject { ["table"] = table.Name, ["row"] = row }.ToJsonString());
                counts[table.Name] = counts.GetValueOrDefault(table.Name) + 1;
            }
        }

        return counts.Count > 0 ? counts : throw new OperatorException($"{scope} is not here.");
    }

    /// <summary>The tenant's rows of a table.</summary>
    public static async Task<List<JsonObject>> RowsAsync(NpgsqlConnection connection, TenantTable table, TenantScope scope, CancellationToken cancellationToken)
    {
        var rows = new List<JsonObject>();
        if (scope.RowsOf(table) is not { } condition)
            return rows;
        await using var select = new NpgsqlCommand($"SELECT to_jsonb(t)::text FROM {table.Name} t WHERE {condition}", connection);
        select.Parameters.Add(new NpgsqlParameter<string> { TypedValue = scope.Id });
        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(JsonNode.Parse(reader.GetString(0))!.AsObject());
        return rows;
    }
}
