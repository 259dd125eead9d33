using System.Security.Claims;

namespace OpenHands.Api.Auth;

/// <summary>What the rest of the API asks about a caller.</summary>
internal static class PrincipalExtensions
{
    /// <summary>The caller's user id. Throws when the caller is not authenticated: such a route is missing its authorization.</summary>
    public static Guid UserId(this ClaimsPrincipal principal) =>
        Guid.TryParseExact(principal.FindFirstValue(ClaimTypes.NameIdentifier), "N", out var id)
            ? id
            : throw new InvalidOperationException("The caller has no user id; only routes that require authorization may ask for it.");
}
