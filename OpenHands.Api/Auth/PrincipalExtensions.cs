using System.Security.Claims;

namespace OpenHands.Api.Auth;

/// <summary>What the rest of the API asks about a caller.</summary>
internal static class PrincipalExtensions
{
    /// <summary>The caller's user id, 32 hex digits. Throws when the caller is not authenticated: such a route lacks its authorization.</summary>
    public static string UserId(this ClaimsPrincipal principal) =>
        principal.FindFirstValue(ClaimTypes.NameIdentifier)
            ?? throw new InvalidOperationException("The caller has no user id; only routes that require authorization may ask for it.");
}
