using System.ComponentModel.DataAnnotations;

namespace OpenHands.Api.Auth;

/// <summary>Who callers are and from where they may come.</summary>
internal sealed class IdentityOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Identity";

    /// <summary>The mode without a login: every caller on this machine is the one local user.</summary>
    public const string LocalMode = "local";

    /// <summary>The mode with a login at an issuer of OpenID Connect identities, such as Entra or Keycloak; programs send its JWTs.</summary>
    public const string OidcMode = "oidc";

    /// <summary>The mode with API keys alone: for a server that others reach and that no issuer is configured for yet.</summary>
    public const string KeysMode = "keys";

    /// <summary>How callers are identified. Allowed: `local`, `oidc`, `keys`.</summary>
    [AllowedValues(LocalMode, OidcMode, KeysMode, ErrorMessage = "Identity:Mode must be one of: local, oidc, keys.")]
    public string Mode { get; set; } = LocalMode;

    /// <summary>Local mode: whether other machines may call, too. Anyone who reaches the port is then the local user.</summary>
    public bool AllowRemote { get; set; }

    /// <summary>Mode `oidc`: the issuer and what its tokens say.</summary>
    public OidcOptions Oidc { get; } = new();

    /// <summary>Whether callers log in.</summary>
    internal bool HasLogin => Mode == OidcMode;

    /// <summary>Whether a caller without a credential is somebody: the local user.</summary>
    internal bool IsAnonymous => Mode == LocalMode;

    /// <summary>Local mode: host names, besides those of the loopback interface, under which the API may be called; `*.example.org` covers its subdomains.</summary>
    public IList<string> AllowedHosts { get; } = [];
}
