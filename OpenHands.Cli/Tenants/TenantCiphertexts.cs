using System.Text.Json.Nodes;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Webhooks;

namespace OpenHands.Cli.Tenants;

/// <summary>Brings the ciphertexts of a row from one key ring under another; they stay bound to their place.</summary>
internal static class TenantCiphertexts
{
    /// <summary>Replaces the ciphertexts of the row.</summary>
    public static void Move(TenantTable table, JsonObject row, SecretCipher from, SecretCipher to)
    {
        if (table.Ciphertexts is not { } column || row[column] is null)
            return;
        if (row[column] is not JsonObject fields)
        {
            row[column] = Move(Place(table, row), (string)row[column]!, from, to);
        }
        else
        {
            foreach (var (name, jwe) in fields.ToList())
                fields[name] = Move(SettingsPlace(table, row, name), (string)jwe!, from, to);
            if (fields.Count == 0)
            {
                row["key_id"] = null;
                return;
            }
        }

        row["key_id"] = to.CurrentKeyId;
    }

    /// <summary>Every ciphertext of the row with its place.</summary>
    public static IEnumerable<(SecretPlace Place, string Jwe)> Of(TenantTable table, JsonObject row) => table.Ciphertexts is not { } column ? []
        : row[column] is JsonObject fields ? fields.Select(field => (SettingsPlace(table, row, field.Key), (string)field.Value!))
        : [(Place(table, row), (string)row[column]!)];

    private static string Move(SecretPlace place, string jwe, SecretCipher from, SecretCipher to)
    {
        var plaintext = from.Decrypt(place, jwe);
        try
        {
            return to.Encrypt(place, plaintext);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(plaintext);
        }
    }

    private static SecretPlace Place(TenantTable table, JsonObject row) => table.Name == "webhooks"
        ? WebhookStore.Place((string)row["organization_id"]!, (string)row["id"]!)
        : SecretSealing.Place(
            (string?)row["user_id"], (string?)row["organization_id"], (string)(row["secret_id"] ?? row["id"])!, (string)row["key"]!, (long)row["version"]!);

    private static SecretPlace SettingsPlace(TenantTable table, JsonObject row, string name) => table.Name == "user_settings"
        ? SettingsSecrets.Place((string)row["user_id"]!, name, (long)row["version"]!)
        : SettingsSecrets.OrganizationPlace((string)row["organization_id"]!, name, (long)row["version"]!);
}
