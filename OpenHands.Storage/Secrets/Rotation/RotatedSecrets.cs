using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The current versions of all secrets.</summary>
internal sealed class RotatedSecrets(SecretCipher cipher, TenantKeys? tenants) : RotatedTable(tenants)
{
    /// <inheritdoc />
    public override string Name => "secrets";

    /// <inheritdoc />
    protected override string Current => cipher.CurrentKeyId;

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
    protected override RotatedRow Read(NpgsqlDataReader row)
    {
        var owner = new SecretOwner(row.Text(1), row.Text(2));
        var place = SecretSealing.Place(owner.UserId, owner.OrganizationId, row.GetString(0), row.GetString(3), row.GetInt64(4));
        var ciphertext = row.GetString(5);
        return new RotatedRow(row.GetString(0), owner, () => cipher.Reencrypt(place, ciphertext));
    }
}
