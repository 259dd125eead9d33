using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace OpenHands.Api.Auth;

/// <summary>Puts identity into the API.</summary>
internal static class IdentityExtensions
{
    private const string Caller = "caller";

    /// <summary>Identity by `Identity:Mode`. A route that says nothing about authorization needs an authenticated caller.</summary>
    public static void AddIdentity(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(ConnectionPeer.Remember));
        builder.Services.AddOptions<IdentityOptions>()
            .BindConfiguration(IdentityOptions.Section)
            .ValidateDataAnnotations()
            .Validate(
                identity => identity.AllowedHosts.All(HostRule.IsEntry),
                "Identity:AllowedHosts must hold host names such as oh.example.org or *.example.org, without a scheme or a port.")
            .Validate(
                identity => !identity.HasLogin || identity.Oidc.Problem is null,
                "Identity:Mode oidc needs Identity:Oidc:Authority, the https address of the issuer, and Identity:Oidc:ClientId.")
            .ValidateOnStart();
        var identity = builder.Configuration.GetSection(IdentityOptions.Section).Get<IdentityOptions>() ?? new IdentityOptions();
        var authentication = builder.Services.AddAuthentication(Caller)
            .AddPolicyScheme(Caller, displayName: null, scheme => scheme.ForwardDefaultSelector = context => SchemeOf(context.Request, identity))
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.Name, configureOptions: null);
        if (identity.HasLogin)
        {
            authentication.AddOidcLogin(identity.Oidc);
            // It warns that keys are stored in the clear; where they are stored, they are encrypted.
            builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager", LogLevel.Error);
        }
        else if (identity.IsAnonymous)
        {
            authentication.AddScheme<AuthenticationSchemeOptions, LocalAuthentication>(IdentityOptions.LocalMode, configureOptions: null);
        }

        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    // Who presents a key or a token is judged by it alone, whatever else the request carries.
    private static string SchemeOf(HttpRequest request, IdentityOptions identity)
    {
        if (ApiKeyAuthentication.Presented(request) is not null || identity.Mode == IdentityOptions.KeysMode)
            return ApiKeyAuthentication.Name;
        if (!identity.HasLogin)
            return IdentityOptions.LocalMode;
        return request.Headers.Authorization.Count > 0 ? OidcLogin.Token : OidcLogin.Cookie;
    }

    /// <summary>Closes everything but the open routes to callers who have not logged in. Comes after authentication, before files.</summary>
    public static void UseLoginGate(this IApplicationBuilder app) => app.UseMiddleware<LoginGate>();

    /// <summary>Checks address, Host and Origin of every request. Comes before routing and CORS.</summary>
    public static void UseRequestGuard(this IApplicationBuilder app) => app.UseMiddleware<RequestGuard>();
}
