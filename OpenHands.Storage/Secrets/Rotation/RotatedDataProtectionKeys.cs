using Npgsql;
using OpenHands.Storage.DataProtection;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The keys that login cookies are protected with.</summary>
internal sealed class RotatedDataProtectionKeys(SecretCipher cipher) : RotatedTable(tenants: null)
{
    /// <inheritdoc />
    public override string Name => "data_protection_keys";

    /// <inheritdoc />
    protected override string Current => cipher.PlatformKeyId;

    /// <inheritdoc />
    protected override string CountStatement => "SELECT count(*) FROM data_protection_keys WHERE key_id <> $1";

    /// <inheritdoc />
    protected override string TakeStatement =>
        "SELECT id, encrypted FROM data_protection_keys WHERE key_id <> $1 AND id <> ALL ($2) LIMIT $3 FOR UPDATE SKIP LOCKED";

    /// <inheritdoc />
    protected override string WriteStatement =>
        """
        UPDATE data_protection_keys SET encrypted = rotated.ciphertext, key_id = $1
        FROM unnest($2, $3) AS rotated(id, ciphertext) WHERE data_protection_keys.id = rotated.id
        """;

    /// <inheritdoc />
    protected override RotatedRow Read(NpgsqlDataReader row)
    {
        var (id, encrypted) = (row.GetString(0), row.GetString(1));
        return new RotatedRow(id, null, () => cipher.Reencrypt(DataProtectionKeyStore.Place(id), encrypted));
    }
}
