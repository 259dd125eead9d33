using System.Security.Cryptography;
using Jose;

namespace OpenHands.Storage.Secrets;

/// <summary>Encrypts secrets as JWE (RFC 7516, compact, A256GCMKW with A256GCM) and reads them only where they belong.</summary>
public sealed class SecretCipher(KeyRing keys)
{
    private const JweAlgorithm Algorithm = JweAlgorithm.A256GCMKW;
    private const JweEncryption Encryption = JweEncryption.A256GCM;

    /// <summary>Id of the key that <see cref="Encrypt"/> uses.</summary>
    internal string CurrentKeyId => keys.Current.Id;

    /// <summary>Encrypts under the current key for this place alone.</summary>
    public string Encrypt(SecretPlace place, byte[] plaintext)
    {
        ArgumentNullException.ThrowIfNull(place);
        var key = keys.Current.ForTenant(place.Tenant);
        try
        {
            var header = new SecretHeader(keys.Current.Id, place);
            return JWT.EncodeBytes(plaintext, key, Algorithm, Encryption, extraHeaders: header.ToExtraHeaders());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Decrypts what <see cref="Encrypt"/> made for this very place. The caller clears the result after use.</summary>
    /// <exception cref="KeyRingMismatchException">The key ring lacks the key.</exception>
    /// <exception cref="SecretRefusedException">It was changed, made for another place, or never made by us.</exception>
    public byte[] Decrypt(SecretPlace place, string jwe)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(jwe);

        // The library inflates zip and ignores unknown crit members, so the header is judged first.
        var header = SecretHeader.Read(jwe) ?? throw new SecretRefusedException();
        var ringKey = keys.Find(header.KeyId) ?? throw new KeyRingMismatchException(header.KeyId);
        if (header.Place != place)
            throw new SecretRefusedException();

        var key = ringKey.ForTenant(place.Tenant);
        try
        {
            return JWT.DecodeBytes(jwe, key, Algorithm, Encryption);
        }
        catch (Exception broken) when (broken is JoseException or CryptographicException or FormatException or ArgumentException or IndexOutOfRangeException)
        {
            throw new SecretRefusedException();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The same value for the same place under the current key.</summary>
    /// <exception cref="KeyRingMismatchException">The key ring lacks the key.</exception>
    /// <exception cref="SecretRefusedException">It was changed, made for another place, or never made by us.</exception>
    internal string Reencrypt(SecretPlace place, string jwe)
    {
        var plaintext = Decrypt(place, jwe);
        try
        {
            return Encrypt(place, plaintext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
    }
}
