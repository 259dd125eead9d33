using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using OpenHands.Storage.Audit;
using OpenHands.Storage.DataProtection;
using OpenHands.Storage.Users;

namespace OpenHands.Api.Auth;

/// <summary>The schemes of the mode `oidc`: a cookie after a login for browsers, the issuer's JWTs for programs.</summary>
internal static class OidcLogin
{
    /// <summary>The login at the issuer.</summary>
    public const string Issuer = "issuer";

    /// <summary>The cookie that a login leaves.</summary>
    public const string Cookie = "openhands-session";

    /// <summary>A JWT in the Authorization header.</summary>
    public const string Token = "token";

    // Names of our own: the framework takes the issuer's away once it has checked them.
    private const string IssuerClaim = "openhands:issuer";
    private const string SubjectClaim = "openhands:subject";
    private const string EmailClaim = "openhands:email";
    private const string NameClaim = "openhands:name";

    // Asymmetric ones: with a symmetric one the issuer's public key would be the secret.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384,
        SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(60);

    /// <summary>Adds the three schemes, and keys for the cookie that all replicas share.</summary>
    public static AuthenticationBuilder AddOidcLogin(this AuthenticationBuilder authentication, OidcOptions oidc)
    {
        authentication.Services.AddDataProtection().SetApplicationName("openhands");
        authentication.Services.AddSingleton<DataProtectionKeyStore>();
        authentication.Services.AddOptions<KeyManagementOptions>().Configure<DataProtectionKeyStore>((keys, store) => keys.XmlRepository = store);
        return authentication
            .AddCookie(Cookie, cookie => Configure(cookie, oidc))
            .AddJwtBearer(Token, token => Configure(token, oidc))
            .AddOpenIdConnect(Issuer, login => Configure(login, oidc));
    }

    private static void Configure(CookieAuthenticationOptions cookie, OidcOptions oidc)
    {
        cookie.Cookie.Name = Cookie;
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = oidc.SessionLifetime;
        cookie.SlidingExpiration = true;
        // The gate decides who is sent to the login; everybody else hears 401 or 403.
        cookie.Events.OnRedirectToLogin = context => Status(context.Response, StatusCodes.Status401Unauthorized);
        cookie.Events.OnRedirectToAccessDenied = context => Status(context.Response, StatusCodes.Status403Forbidden);
        cookie.Events.OnValidatePrincipal = async context =>
        {
            if (context.Principal is { } principal && await ResolveAsync(context.HttpContext, principal) is { } user)
            {
                context.ReplacePrincipal(user);
                return;
            }

            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(Cookie);
        };
    }

    private static void Configure(JwtBearerOptions token, OidcOptions oidc)
    {
        token.Authority = oidc.Authority;
        token.RequireHttpsMetadata = oidc.Authority.StartsWith(Uri.UriSchemeHttps + ":", StringComparison.OrdinalIgnoreCase);
        token.MapInboundClaims = false;
        token.IncludeErrorDetails = false;
        token.TokenValidationParameters = Parameters(oidc.EffectiveAudience);
        token.Events = new JwtBearerEvents
        {
            OnTokenValidated = async context =>
            {
                if (context.Principal is { } principal && await ResolveAsync(context.HttpContext, Known(principal, oidc, Token)) is { } user)
                    context.Principal = user;
                else
                    context.Fail("The user was removed.");
            },
        };
    }

    private static void Configure(OpenIdConnectOptions login, OidcOptions oidc)
    {
        login.Authority = oidc.Authority;
        login.RequireHttpsMetadata = oidc.Authority.StartsWith(Uri.UriSchemeHttps + ":", StringComparison.OrdinalIgnoreCase);
        login.ClientId = oidc.ClientId;
        login.ClientSecret = oidc.ClientSecret.Length > 0 ? oidc.ClientSecret : null;
        login.ResponseType = OpenIdConnectResponseType.Code;
        login.ResponseMode = OpenIdConnectResponseMode.Query;
        login.UsePkce = true;
        login.SaveTokens = false; // the platform needs who it is, not what they may do elsewhere
        login.MapInboundClaims = false;
        login.DisableTelemetry = true;
        login.SignInScheme = Cookie;
        login.CallbackPath = "/auth/callback";
        login.SignedOutCallbackPath = "/auth/signed-out";
        login.NonceCookie.SecurePolicy = login.CorrelationCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        login.NonceCookie.SameSite = login.CorrelationCookie.SameSite = SameSiteMode.Lax; // the answer comes by a navigation
        login.TokenValidationParameters = Parameters(oidc.ClientId);
        login.Scope.Clear();
        foreach (var scope in oidc.Scopes.DefaultIfEmpty("profile email").Prepend("openid"))
            login.Scope.Add(scope);
        login.Events.OnTokenValidated = async context =>
        {
            context.Principal = Known(context.Principal!, oidc, Cookie); // validated just now
            await AuditAsync(context.HttpContext, context.Principal);
        };
        login.Events.OnRemoteFailure = context =>
        {
            context.HandleResponse();
            context.Response.Redirect("/auth/failed");
            return Task.CompletedTask;
        };
    }

    private static TokenValidationParameters Parameters(string audience) => new()
    {
        ValidAudience = audience,
        ValidAlgorithms = Algorithms,
        ClockSkew = ClockSkew,
        RequireExpirationTime = true,
        RequireSignedTokens = true,
    };

    // Of all that the issuer says, what the platform uses.
    private static ClaimsPrincipal Known(ClaimsPrincipal principal, OidcOptions oidc, string scheme)
    {
        var verified = bool.TryParse(principal.FindFirstValue(oidc.EmailVerifiedClaim), out var isVerified) && isVerified;
        (string Type, string? Value)[] claims =
        [
            (IssuerClaim, principal.FindFirstValue("iss")), (SubjectClaim, principal.FindFirstValue(oidc.SubjectClaim)),
            (EmailClaim, verified ? principal.FindFirstValue(oidc.EmailClaim)?.Trim().ToLowerInvariant() : null), (NameClaim, principal.FindFirstValue(oidc.NameClaim)),
        ];
        return new ClaimsPrincipal(new ClaimsIdentity(claims.Where(claim => claim.Value is { Length: > 0 and <= 500 }).Select(claim => new Claim(claim.Type, claim.Value!)), scheme));
    }

    private static async Task<ClaimsPrincipal?> ResolveAsync(HttpContext context, ClaimsPrincipal known)
    {
        if (known.FindFirstValue(IssuerClaim) is not { } issuer || known.FindFirstValue(SubjectClaim) is not { } subject)
            return null;
        var identity = new Identity(issuer, subject, known.FindFirstValue(EmailClaim), known.FindFirstValue(NameClaim));
        if (await context.RequestServices.GetRequiredService<IdentityDirectory>().SignInAsync(identity, context.RequestAborted) is not { } id)
            return null;

        var resolved = new ClaimsIdentity(
            known.Claims.Where(claim => claim.Type != ClaimTypes.NameIdentifier).Append(new Claim(ClaimTypes.NameIdentifier, id)), known.Identity?.AuthenticationType);
        return new ClaimsPrincipal(resolved);
    }

    private static async Task AuditAsync(HttpContext context, ClaimsPrincipal known)
    {
        // Who was removed is refused with the first request.
        if (await ResolveAsync(context, known) is not { } user)
            return;
        await context.RequestServices.GetRequiredService<AuditLog>().NoteAsync(
            new AuditNote(AuditNote.Login, user.UserId(), "", null, user.UserId()), user.UserId(), AuditOrigins.Of(context));
    }

    private static Task Status(HttpResponse response, int status)
    {
        response.StatusCode = status;
        return Task.CompletedTask;
    }
}
