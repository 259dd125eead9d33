using System.Text.Json;
using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The secret fields of all settings of users or of organizations: one JSON object of ciphertexts per row.</summary>
internal sealed class RotatedSettings(SecretCipher cipher, TenantKeys? tenants, string table, string owner, Func<string, string, long, SecretPlace> place)
    : RotatedTable(tenants)
{
    /// <inheritdoc />
    public override string Name => table;

    /// <inheritdoc />
    protected override string Current => cipher.CurrentKeyId;

    // A row without secret fields needs no key.
    /// <inheritdoc />
    protected override string CountStatement => $"SELECT count(*) FROM {table} WHERE key_id IS DISTINCT FROM $1 AND secrets <> jsonb_build_object()";

    /// <inheritdoc />
    protected override string TakeStatement =>
        $"""
        SELECT {owner}, version, secrets::text FROM {table}
        WHERE (key_id IS NULL OR key_id = ANY (SELECT DISTINCT key_id FROM {table} WHERE key_id <> $1))
            AND secrets <> jsonb_build_object() AND {owner} <> ALL ($2)
        LIMIT $3 FOR UPDATE SKIP LOCKED
        """;

    /// <inheritdoc />
    protected override string WriteStatement =>
        $"""
        UPDATE {table} SET secrets = rotated.ciphertext::jsonb, key_id = $1
        FROM unnest($2, $3) AS rotated(id, ciphertext) WHERE {table}.{owner} = rotated.id
        """;

    /// <inheritdoc />
    protected override RotatedRow Read(NpgsqlDataReader row)
    {
        var (id, version, secrets) = (row.GetString(0), row.GetInt64(1), row.GetString(2));
        var whose = owner == "user_id" ? SecretOwner.User(id) : SecretOwner.Organization(id);
        return new RotatedRow(id, whose, () => JsonSerializer.Serialize((JsonSerializer.Deserialize<Dictionary<string, string>>(secrets) ?? []).ToDictionary(
            secret => secret.Key, secret => cipher.Reencrypt(place(id, secret.Key, version), secret.Value))));
    }
}
