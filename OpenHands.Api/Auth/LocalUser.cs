using System.Security.Claims;

namespace OpenHands.Api.Auth;

/// <summary>The one user of the local mode.</summary>
internal static class LocalUser
{
    /// <summary>Never changes: everything the user stores hangs on it.</summary>
    public const string Id = "0198c0de000070008000000000000001";

    /// <summary>The local user as the authentication scheme <paramref name="scheme"/> presents it.</summary>
    public static ClaimsPrincipal Principal(string scheme) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, Id)], scheme));
}
