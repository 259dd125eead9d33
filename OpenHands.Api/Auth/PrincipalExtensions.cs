using System.Security.Claims;

namespace OpenHands.Api.Auth;

/// <summary>What the rest of the API asks about a caller.</summary>
internal static class PrincipalExtensions
{
    /// <summary>Claim: id of the API key that the caller came with.</summary>
    public const string Key = "openhands:key";

    /// <summary>Claim: the only organization that the key works in.</summary>
    public const string Organization = "openhands:organization";

    /// <summary>Claim: one scope of the key.</summary>
    public const string Scope = "openhands:scope";

    /// <summary>Id of the API key; null for a caller who came without one.</summary>
    public static string? KeyId(this ClaimsPrincipal principal) => principal.FindFirstValue(Key);

    /// <summary>The organization that the caller's key works in; null for a caller who came without a key.</summary>
    public static string? KeyOrganization(this ClaimsPrincipal principal) => principal.FindFirstValue(Organization);

    /// <summary>The scopes of the caller's key.</summary>
    public static IReadOnlyList<string> Scopes(this ClaimsPrincipal principal) => [.. principal.FindAll(Scope).Select(claim => claim.Value)];

    /// <summary>The caller's user id, 32 hex digits. Throws when the caller is not authenticated: such a route lacks its authorization.</summary>
    public static string UserId(this ClaimsPrincipal principal) =>
        principal.FindFirstValue(ClaimTypes.NameIdentifier)
            ?? throw new InvalidOperationException("The caller has no user id; only routes that require authorization may ask for it.");
}
