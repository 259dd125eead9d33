using System.Security.Cryptography;

namespace OpenHands.Storage.Secrets;

/// <summary>Encrypts and reads the value of a row of secrets, bound to its owner, id, key and version.</summary>
internal static class SecretSealing
{
    private const string Scope = "secrets";

    /// <summary>The value. The caller clears the buffer.</summary>
    public static byte[] Open(this SecretCipher cipher, Secret secret) =>
        cipher.Decrypt(Place(secret.UserId, secret.OrganizationId, secret.Id, secret.Key, secret.Version), secret.ValueEncrypted);

    /// <summary>The value of a secret that was kept in Redis. The caller clears the buffer.</summary>
    public static byte[] Open(this SecretCipher cipher, KeptSecret secret) =>
        cipher.Decrypt(Place(secret.UserId, secret.OrganizationId, secret.Id, secret.Key, secret.Version), secret.ValueEncrypted);

    /// <summary>The value of a former version. The caller clears the buffer.</summary>
    public static byte[] Open(this SecretCipher cipher, SecretVersion version) =>
        cipher.Decrypt(Place(version.UserId, version.OrganizationId, version.SecretId, version.Key, version.Version), version.ValueEncrypted);

    /// <summary>Makes the next version of the secret with this value. Clears the buffer.</summary>
    public static void Seal(this SecretCipher cipher, Secret secret, byte[] plaintext, DateTimeOffset now)
    {
        try
        {
            secret.Version++;
            secret.UpdatedAt = now;
            secret.ValueEncrypted = cipher.Encrypt(Place(secret.UserId, secret.OrganizationId, secret.Id, secret.Key, secret.Version), plaintext);
            secret.KeyId = cipher.CurrentKeyId;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
    }

    /// <summary>Where the value of a row of secrets belongs.</summary>
    public static SecretPlace Place(string? userId, string? organizationId, string id, string key, long version) =>
        new(new SecretOwner(userId, organizationId).Tenant, Scope, id, key, version);
}
