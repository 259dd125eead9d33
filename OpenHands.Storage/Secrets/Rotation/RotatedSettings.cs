using System.Text.Json;
using Npgsql;
using OpenHands.Storage.Settings;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>The secret fields of all users' settings: one JSON object of ciphertexts per row.</summary>
internal sealed class RotatedSettings(SecretCipher cipher) : RotatedTable
{
    /// <inheritdoc />
    public override string Name => "user_settings";

    // A row without secret fields needs no key.
    /// <inheritdoc />
    protected override string CountStatement => "SELECT count(*) FROM user_settings WHERE key_id IS DISTINCT FROM $1 AND secrets <> jsonb_build_object()";

    /// <inheritdoc />
    protected override string TakeStatement =>
        """
        SELECT user_id, version, secrets::text FROM user_settings
        WHERE (key_id IS NULL OR key_id = ANY (SELECT DISTINCT key_id FROM user_settings WHERE key_id <> $1))
            AND secrets <> jsonb_build_object() AND user_id <> ALL ($2)
        LIMIT $3 FOR UPDATE SKIP LOCKED
        """;

    /// <inheritdoc />
    protected override string WriteStatement =>
        """
        UPDATE user_settings SET secrets = rotated.ciphertext::jsonb, key_id = $1
        FROM unnest($2, $3) AS rotated(id, ciphertext) WHERE user_settings.user_id = rotated.id
        """;

    /// <inheritdoc />
    protected override string Reencrypt(NpgsqlDataReader row)
    {
        var (user, version) = (row.GetString(0), row.GetInt64(1));
        var ciphertexts = JsonSerializer.Deserialize<Dictionary<string, string>>(row.GetString(2)) ?? [];
        return JsonSerializer.Serialize(ciphertexts.ToDictionary(
            secret => secret.Key, secret => cipher.Reencrypt(SettingsSecrets.Place(user, secret.Key, version), secret.Value)));
    }
}
