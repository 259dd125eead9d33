using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The former versions of all secrets: restoring one must work after the old key is gone.</summary>
internal sealed class RotatedSecretVersions(SecretCipher cipher, TenantKeys? tenants) : RotatedTable(tenants)
{
    /// <inheritdoc />
    public override string Name => "secret_versions";

    /// <inheritdoc />
    protected override string Current => cipher.CurrentKeyId;

    /// <inheritdoc />
    protected override string CountStatement => "SELECT count(*) FROM secret_versions WHERE key_id <> $1";

    /// <inheritdoc />
    protected override string TakeStatement =>
        """
        SELECT secret_id || ':' || version, user_id, organization_id, key, version, value_encrypted, secret_id FROM secret_versions
        WHERE key_id = ANY (SELECT DISTINCT key_id FROM secret_versions WHERE key_id <> $1) AND secret_id || ':' || version <> ALL ($2)
        LIMIT $3 FOR UPDATE SKIP LOCKED
        """;

    /// <inheritdoc />
    protected override string WriteStatement =>
        """
        UPDATE secret_versions SET value_encrypted = rotated.ciphertext, key_id = $1
        FROM unnest($2, $3) AS rotated(id, ciphertext)
        WHERE secret_versions.secret_id = split_part(rotated.id, ':', 1) AND secret_versions.version = split_part(rotated.id, ':', 2)::bigint
        """;

    /// <inheritdoc />
    protected override RotatedRow Read(NpgsqlDataReader row)
    {
        var owner = new SecretOwner(row.Text(1), row.Text(2));
        var place = SecretSealing.Place(owner.UserId, owner.OrganizationId, row.GetString(6), row.GetString(3), row.GetInt64(4));
        var ciphertext = row.GetString(5);
        return new RotatedRow(row.GetString(0), owner, () => cipher.Reencrypt(place, ciphertext));
    }
}
