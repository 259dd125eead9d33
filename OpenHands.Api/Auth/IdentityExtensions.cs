using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace OpenHands.Api.Auth;

/// <summary>Puts identity into the API.</summary>
internal static class IdentityExtensions
{
    // Who presents a key is judged by the key alone, whatever else a request carries.
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
            .ValidateOnStart();
        builder.Services.AddAuthentication(Caller)
            .AddPolicyScheme(Caller, displayName: null, scheme => scheme.ForwardDefaultSelector = context =>
                ApiKeyAuthentication.Presented(context.Request) is null ? IdentityOptions.LocalMode : ApiKeyAuthentication.Name)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.Name, configureOptions: null)
            .AddScheme<AuthenticationSchemeOptions, LocalAuthentication>(IdentityOptions.LocalMode, configureOptions: null);
        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>Checks address, Host and Origin of every request. Comes before routing and CORS.</summary>
    public static void UseRequestGuard(this IApplicationBuilder app) => app.UseMiddleware<RequestGuard>();
}
