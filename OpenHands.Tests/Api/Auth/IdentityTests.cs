using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Auth;

public sealed class IdentityTests
{
    [Theory]
    [InlineData("saml")]
    [InlineData("Local")]
    [InlineData("")]
    public async Task An_identity_mode_that_is_not_offered_stops_the_start_and_names_those_that_are(string mode)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync([$"Identity:Mode={mode}"]));
        Assert.Contains("Identity:Mode must be one of: local, oidc, keys", refused.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://issuer.example.org")]
    [InlineData("issuer")]
    public async Task A_login_without_a_safe_issuer_stops_the_start(string authority)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            ApiHost.StartAsync(["Identity:Mode=oidc", $"Identity:Oidc:Authority={authority}", "Identity:Oidc:ClientId=x"]));
        Assert.Contains("Identity:Oidc:Authority", refused.Message);
    }

    [Theory]
    [InlineData("http://oh.example.org")]
    [InlineData("oh.example.org:3000")]
    [InlineData("*")]
    public async Task A_host_name_that_could_never_match_stops_the_start(string host)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync([$"Identity:AllowedHosts:0={host}"]));
        Assert.Contains("Identity:AllowedHosts", refused.Message);
    }

    [Fact]
    public async Task Only_these_routes_are_open_to_everybody()
    {
        await using var api = await ApiHost.StartAsync([]);

        var open = api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            .Select(endpoint => endpoint.RoutePattern.RawText);

        Assert.Equal(["/", "/alive", "/api/authenticate", "/api/logout", "/api/v1/web-client/config", "/health", "/invitations"], open.Order(StringComparer.Ordinal));
    }
}
