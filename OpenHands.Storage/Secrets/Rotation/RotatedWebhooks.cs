using Npgsql;
using OpenHands.Storage.Webhooks;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The secrets that sign what webhooks are sent.</summary>
internal sealed class RotatedWebhooks(SecretCipher cipher, TenantKeys? tenants) : RotatedTable(tenants)
{
    /// <inheritdoc />
    public override string Name => "webhooks";

    /// <inheritdoc />
    protected override string Current => cipher.CurrentKeyId;

    /// <inheritdoc />
    protected override string CountStatement => "SELECT count(*) FROM webhooks WHERE key_id <> $1";

    /// <inheritdoc />
    protected override string TakeStatement =>
        "SELECT id, organization_id, secret_encrypted FROM webhooks WHERE key_id <> $1 AND id <> ALL ($2) LIMIT $3 FOR UPDATE SKIP LOCKED";

    /// <inheritdoc />
    protected override string WriteStatement =>
        """
        UPDATE webhooks SET secret_encrypted = rotated.ciphertext, key_id = $1
        FROM unnest($2, $3) AS rotated(id, ciphertext) WHERE webhooks.id = rotated.id
        """;

    /// <inheritdoc />
    protected override RotatedRow Read(NpgsqlDataReader row)
    {
        var (id, organization, ciphertext) = (row.GetString(0), row.GetString(1), row.GetString(2));
        return new RotatedRow(id, SecretOwner.Organization(organization), () => cipher.Reencrypt(WebhookStore.Place(organization, id), ciphertext));
    }
}
