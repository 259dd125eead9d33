namespace OpenHands.Api.Auth;

/// <summary>An issuer of identities, and which claims of its tokens mean what.</summary>
internal sealed class OidcOptions
{
    /// <summary>Address of the issuer, without `/.well-known/openid-configuration`. HTTPS, unless it is on this machine.</summary>
    public string Authority { get; set; } = "";

    /// <summary>What the `aud` of programs' tokens must be; empty to take the client id.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Id of this application at the issuer. Its redirect address there is `/auth/callback` of this server.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>Secret of this application at the issuer; empty for a public client, which proves itself by PKCE alone.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>What the login asks for, besides `openid`.</summary>
    public IList<string> Scopes { get; } = [];

    /// <summary>Claim that names the subject and never changes.</summary>
    public string SubjectClaim { get; set; } = "sub";

    /// <summary>Claim with the mail address.</summary>
    public string EmailClaim { get; set; } = "email";

    /// <summary>Claim that is true when the issuer verified the address; without it the address is not believed.</summary>
    public string EmailVerifiedClaim { get; set; } = "email_verified";

    /// <summary>Claim with the name to show.</summary>
    public string NameClaim { get; set; } = "name";

    /// <summary>How long a login lasts after the last request.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(8);

    internal string EffectiveAudience => Audience.Length > 0 ? Audience : ClientId;

    internal string? Problem => Uri.TryCreate(Authority, UriKind.Absolute, out var address) && IsSafe(address)
        ? ClientId.Length == 0 ? "Identity:Oidc:ClientId must be the id of this application at the issuer." : null
        : "Identity:Oidc:Authority must be the https address of the issuer.";

    // Without TLS only on this machine: whoever answers at that address says who is who.
    private static bool IsSafe(Uri address) => address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);
}
