using System.Buffers.Text;
using System.Text.Json;

namespace OpenHands.Storage.Secrets;

/// <summary>The protected header of our JWEs, read strictly: exactly the members that we write, each once.</summary>
/// <param name="KeyId">Id of the key of the ring; with the tenant's own key, its id after a dot.</param>
/// <param name="Place">Where it belongs.</param>
internal sealed record SecretHeader(string KeyId, SecretPlace Place)
{
    public const string Algorithm = "A256GCMKW";
    public const string Encryption = "A256GCM";

    // The library writes alg, enc, iv and tag; the rest is ours.
    private static readonly string[] Members = ["alg", "enc", "iv", "tag", "kid", "tenant", "scope", "secret", "key", "version"];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 1 };

    /// <summary>Id of the key of the ring.</summary>
    public string RingKeyId => KeyId.Split('.')[0];

    /// <summary>Id of the tenant's own key; null where the ring alone encrypted it.</summary>
    public string? TenantKeyId => KeyId.Split('.').ElementAtOrDefault(1);

    /// <summary>Our members as the library takes them.</summary>
    public Dictionary<string, object> ToExtraHeaders() => new()
    {
        ["kid"] = KeyId,
        ["tenant"] = Place.Tenant,
        ["scope"] = Place.Scope,
        ["secret"] = Place.SecretId,
        ["key"] = Place.Key,
        ["version"] = Place.Version,
    };

    /// <summary>The header of a compact JWE; null for anything that we never write (other algorithms, zip, crit, a member too many).</summary>
    public static SecretHeader? Read(string jwe)
    {
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(jwe.AsSpan(0, Math.Max(0, jwe.IndexOf('.')))), Strict);
            var header = json.RootElement;
            return IsOurs(header) ? new SecretHeader(Text(header, "kid"), ReadPlace(header)) : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsOurs(JsonElement header) =>
        header.EnumerateObject().All(member => Members.Contains(member.Name))
        && header.GetPropertyCount() == Members.Length
        && Text(header, "alg") == Algorithm
        && Text(header, "enc") == Encryption
        && Text(header, "kid").Split('.') is var ids && ids.Length <= 2 && ids.All(KeyRingKey.IsId);

    private static SecretPlace ReadPlace(JsonElement header) => new(
        Text(header, "tenant"), Text(header, "scope"), Text(header, "secret"), Text(header, "key"), header.GetProperty("version").GetInt64());

    private static string Text(JsonElement header, string name) =>
        header.GetProperty(name).GetString() ?? throw new FormatException("A member of the header is null.");
}
