using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Settings;

/// <summary>The secrets of one settings row, decrypted. Cleared on disposal.</summary>
internal sealed class SettingsSecrets : IDisposable
{
    private readonly SortedDictionary<string, byte[]> _values = new(StringComparer.Ordinal);

    /// <summary>Decrypts every secret of the row: one that cannot be read must be noticed before anything is shown or saved.</summary>
    public static SettingsSecrets Open(SecretCipher cipher, UserSettings row) =>
        Open(cipher, row.Secrets, name => Place(row.UserId, name, row.Version));

    /// <summary>The same of an organization's settings.</summary>
    public static SettingsSecrets Open(SecretCipher cipher, OrganizationSettings row) =>
        Open(cipher, row.Secrets, name => OrganizationPlace(row.OrganizationId, name, row.Version));

    private static SettingsSecrets Open(SecretCipher cipher, string secrets, Func<string, SecretPlace> place)
    {
        var opened = new SettingsSecrets();
        try
        {
            foreach (var (name, jwe) in JsonSerializer.Deserialize<Dictionary<string, string>>(secrets) ?? [])
                opened._values[name] = cipher.Decrypt(place(name), jwe);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public byte[]? Find(string name) => _values.GetValueOrDefault(name);

    /// <summary>Sets or, with null, removes a secret, and takes over the buffer.</summary>
    /// <returns>Whether that changed anything.</returns>
    public bool Set(string name, byte[]? value)
    {
        _values.Remove(name, out var former);
        if (value is not null)
            _values[name] = value;
        var changed = former is null != value is null || !former.AsSpan().SequenceEqual(value);
        CryptographicOperations.ZeroMemory(former);
        return changed;
    }

    /// <summary>Sets or, with null, removes a key.</summary>
    public bool SetText(string name, string? value) => Set(name, value is null ? null : Encoding.UTF8.GetBytes(value));

    /// <summary>Encrypts all of them for the version that the user's row is about to have.</summary>
    public string Seal(SecretCipher cipher, string userId, long version) => Seal(cipher, name => Place(userId, name, version));

    /// <summary>Encrypts all of them for the version that the organization's row is about to have.</summary>
    public string SealForOrganization(SecretCipher cipher, string organizationId, long version) =>
        Seal(cipher, name => OrganizationPlace(organizationId, name, version));

    private string Seal(SecretCipher cipher, Func<string, SecretPlace> place) => JsonSerializer.Serialize(
        _values.ToDictionary(secret => secret.Key, secret => cipher.Encrypt(place(secret.Key), secret.Value)));

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var value in _values.Values)
            CryptographicOperations.ZeroMemory(value);
        _values.Clear();
    }

    /// <summary>Where a secret field of a user's settings belongs.</summary>
    public static SecretPlace Place(string userId, string name, long version) => new($"user:{userId}", "settings", userId, name, version);

    /// <summary>Where a secret field of an organization's settings belongs.</summary>
    public static SecretPlace OrganizationPlace(string organizationId, string name, long version) =>
        new($"organization:{organizationId}", "organization_settings", organizationId, name, version);
}
