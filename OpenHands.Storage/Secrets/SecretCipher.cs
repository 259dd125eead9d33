using System.Security.Cryptography;
using Jose;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// Encrypts secrets as JWE (RFC 7516, compact, A256GCMKW with A256GCM) and reads them only where they belong. The key is made of
/// one of the ring and, with <paramref name="tenants"/>, one of the tenant's own, which <see cref="PrepareAsync"/> learns before.
/// </summary>
public sealed class SecretCipher(KeyRing keys, TenantKeys? tenants = null)
{
    private const JweAlgorithm Algorithm = JweAlgorithm.A256GCMKW;
    private const JweEncryption Encryption = JweEncryption.A256GCM;

    // Marks in the column key_id that a tenant's own key is needed, too.
    private const string WithTenantKey = ".t";

    /// <summary>What the column <c>key_id</c> says of what <see cref="Encrypt"/> makes for tenants.</summary>
    internal string CurrentKeyId => keys.Current.Id + (tenants is { Writes: true } ? WithTenantKey : "");

    /// <summary>The same of what belongs to no tenant.</summary>
    internal string PlatformKeyId => keys.Current.Id;

    /// <summary>Learns the owner's own key, before anything of theirs is encrypted or read.</summary>
    /// <param name="db">The tenant must be the owner, or a member of the owner.</param>
    /// <param name="owner">Whose.</param>
    /// <param name="writes">Whether something is to be encrypted.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public Task PrepareAsync(OpenHandsDb db, SecretOwner owner, bool writes, CancellationToken cancellationToken) =>
        tenants?.LoadAsync(db, owner, writes, cancellationToken) ?? Task.CompletedTask;

    /// <summary>Encrypts under the current key for this place alone.</summary>
    public string Encrypt(SecretPlace place, byte[] plaintext)
    {
        ArgumentNullException.ThrowIfNull(place);
        var own = tenants is { Writes: true } && place.Tenant != SecretPlace.Platform
            ? tenants.Find(place.Tenant) ?? throw new InvalidOperationException("The tenant's own key was not learned before.")
            : null;
        var key = KeyOf(keys.Current, place.Tenant, own);
        try
        {
            var header = new SecretHeader(own is null ? keys.Current.Id : $"{keys.Current.Id}.{own.Id}", place);
            return JWT.EncodeBytes(plaintext, key, Algorithm, Encryption, extraHeaders: header.ToExtraHeaders());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Decrypts what <see cref="Encrypt"/> made for this very place. The caller clears the result after use.</summary>
    /// <exception cref="KeyRingMismatchException">The key ring lacks the key.</exception>
    /// <exception cref="SecretRefusedException">It was changed, made for another place, or never made by us; or the tenant's own key was destroyed.</exception>
    public byte[] Decrypt(SecretPlace place, string jwe)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(jwe);

        // The library inflates zip and ignores unknown crit members, so the header is judged first.
        var header = SecretHeader.Read(jwe) ?? throw new SecretRefusedException();
        var ringKey = keys.Find(header.RingKeyId) ?? throw new KeyRingMismatchException(header.RingKeyId);
        var own = header.TenantKeyId is null ? null : tenants?.Find(place.Tenant);
        if (header.Place != place || own?.Id != header.TenantKeyId)
            throw new SecretRefusedException();

        var key = KeyOf(ringKey, place.Tenant, own);
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

    /// <summary>Whether it can be read only with the tenant's own key.</summary>
    internal static bool NeedsTenantKey(string jwe) => SecretHeader.Read(jwe)?.TenantKeyId is not null;

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

    private static byte[] KeyOf(KeyRingKey ringKey, string tenant, TenantKey? own) => own is null ? ringKey.ForTenant(tenant) : ringKey.ForTenant(tenant, own);
}
