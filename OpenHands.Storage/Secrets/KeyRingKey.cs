using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.Secrets;

/// <summary>One key of the ring. It never encrypts itself: every tenant has a key derived from it (HKDF-SHA256, RFC 5869).</summary>
internal sealed class KeyRingKey(byte[] material)
{
    private const int EncryptionKeyBytes = 32; // A256GCMKW
    private const int IdBytes = 8;
    private const int AuditSeedBytes = 40; // P-256, and 64 bits more

    /// <summary>Names the key in what it encrypted: 16 hex digits, derived, so that they confirm no guess of a weak key by a plain hash.</summary>
    public string Id { get; } = Convert.ToHexStringLower(Derive(material, IdBytes, "key-id"));

    /// <summary>The text that the key was made of: for a backup of the ring, and nothing else.</summary>
    public string Text => Encoding.UTF8.GetString(material);

    /// <summary>The encryption key of a tenant that has no key of its own. The caller clears it after use.</summary>
    public byte[] ForTenant(string tenant) => Derive(material, EncryptionKeyBytes, $"secret-encryption:{tenant}");

    /// <summary>HMAC-SHA256 of a hash: without the key nobody can try out what was hashed.</summary>
    public byte[] Fingerprint(byte[] hash)
    {
        var key = Derive(material, EncryptionKeyBytes, "fingerprint");
        try
        {
            return HMACSHA256.HashData(key, hash);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The encryption key of a tenant with a key of its own: gone for ever with either of the two. The caller clears it after use.</summary>
    public byte[] ForTenant(string tenant, TenantKey own) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, material, EncryptionKeyBytes, own.Salt, Encoding.UTF8.GetBytes($"tenant-secret-encryption:{own.Id}:{tenant}"));

    /// <summary>What the key that signs the audit log is made of. The caller clears it after use.</summary>
    public byte[] ForAudit() => Derive(material, AuditSeedBytes, "audit-signing");

    /// <summary>Whether the text has the form of an id: it may then stand in a message.</summary>
    public static bool IsId(string text) => text.Length == 2 * IdBytes && text.All(char.IsAsciiHexDigitLower);

    private static byte[] Derive(byte[] material, int bytes, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, material, bytes, "openhands-key-ring-v1"u8.ToArray(), Encoding.UTF8.GetBytes(purpose));
}
