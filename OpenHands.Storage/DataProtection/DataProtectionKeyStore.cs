using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.DataProtection;

/// <summary>Keeps the keys of ASP.NET Core's data protection in PostgreSQL, so that a cookie of one replica is good at all others.</summary>
/// <remarks>The framework asks for them synchronously, at the start and about once a day.</remarks>
public sealed class DataProtectionKeyStore(IServiceScopeFactory scopes, SecretCipher cipher, TimeProvider time) : IXmlRepository
{
    /// <inheritdoc />
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var scope = scopes.CreateScope();
        var rows = scope.ServiceProvider.GetRequiredService<OpenHandsDb>().DataProtectionKeys.OrderBy(key => key.Id).ToList();
        return [.. rows.Select(Open)];
    }

    /// <inheritdoc />
    public void StoreElement(XElement element, string friendlyName)
    {
        ArgumentNullException.ThrowIfNull(element);
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<OpenHandsDb>();
        var id = EntityId.New(time);
        var plaintext = Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting));
        db.DataProtectionKeys.Add(new DataProtectionKey
        {
            Id = id,
            Encrypted = cipher.Encrypt(Place(id), plaintext),
            KeyId = cipher.PlatformKeyId,
            CreatedAt = time.GetUtcNow(),
        });
        CryptographicOperations.ZeroMemory(plaintext);
        db.SaveChanges();
    }

    internal static SecretPlace Place(string id) => new(SecretPlace.Platform, "data_protection", id, "xml", 1);

    private XElement Open(DataProtectionKey row)
    {
        var plaintext = cipher.Decrypt(Place(row.Id), row.Encrypted);
        try
        {
            return XElement.Parse(Encoding.UTF8.GetString(plaintext));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
    }
}
