using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The current versions of all secrets.</summary>
internal sealed class RotatedSecrets(SecretCipher cipher) : RotatedTable
{
    /// <inheritdoc />
    public override string Name => "secrets";

    /// <inheritdoc />
    protected override string CountStatement => "SELECT count(*) FROM secrets WHERE key_id <> $1";

    /// <inheritdoc />
    protected override string TakeStatement =>
        """
        SELECT id, user_id, organization_id, key, version, value_encrypted FROM secrets
        WHERE key_id = ANY (SELECT DISTINCT key_id FROM secrets WHERE key_id <> $1) AND id <> ALL ($2)
        LIMIT $3 FOR UPDATE SKIP LOCKED
        """;

    /// <inheritdoc />
    protected override string WriteStatement =>
        """
        UPDATE secrets SET value_encrypted = rotated.ciphertext, key_id = $1
        FROM unnest($2, $3) AS rotated(id, ciphertext) WHERE secrets.id = rotated.id
        """;

    /// <inheritdoc />
    protected override string Reencrypt(NpgsqlDataReader row) => cipher.Reencrypt(
        SecretSealing.Place(row.Text(1), row.Text(2), row.GetString(0), row.GetString(3), row.GetInt64(4)), row.GetString(5));
}
