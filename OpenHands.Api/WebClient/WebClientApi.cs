using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;

namespace OpenHands.Api.WebClient;

/// <summary>How the web front end learns what it talks to.</summary>
internal static class WebClientApi
{
    /// <summary>Adds the options, checked on start.</summary>
    public static void AddWebClient(this IServiceCollection services) =>
        services.AddOptions<WebClientOptions>().BindConfiguration(WebClientOptions.Section)
            .ValidateDataAnnotations()
            .Validate(options => options.KnowsAllProviders(), WebClientProviders.Rule)
            .ValidateOnStart();

    /// <summary>Maps the configuration of the web front end.</summary>
    public static RouteGroupBuilder MapWebClient(this IEndpointRouteBuilder routes)
    {
        var webClient = routes.MapGroup("/api/v1/web-client").WithTags("Web client").ForAnyone();
        webClient.MapGet("/config", Config);
        return webClient;
    }

    /// <summary>Mode, feature flags and banners of the web front end. Needs no login: it is read before one is possible.</summary>
    internal static Ok<WebClientConfig> Config(IOptions<WebClientOptions> webClient, IOptions<IdentityOptions> identity) =>
        TypedResults.Ok(WebClientConfig.From(webClient.Value, identity.Value));
}
