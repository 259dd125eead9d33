using System.Net;
using Microsoft.Extensions.Options;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Http;

public sealed class CrossOriginTests(LocalApi api) : IClassFixture<LocalApi>
{
    [Fact]
    public async Task A_listed_origin_may_ask_first_and_need_not_ask_again_soon()
    {
        using var response = await PreflightAsync(LocalApi.ListedOrigin);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal([LocalApi.ListedOrigin], response.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["true"], response.Headers.GetValues("Access-Control-Allow-Credentials"));
        Assert.Equal(["3600"], response.Headers.GetValues("Access-Control-Max-Age"));
        Assert.Contains("content-type", string.Join(',', response.Headers.GetValues("Access-Control-Allow-Headers")));
        Assert.Contains("POST", string.Join(',', response.Headers.GetValues("Access-Control-Allow-Methods")));
    }

    [Theory]
    [InlineData("http://localhost:3002")]
    [InlineData("https://localhost:3001")]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    public async Task Any_other_origin_gets_no_permission(string origin)
    {
        using var response = await PreflightAsync(origin);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_listed_origin_may_read_answers_and_errors()
    {
        foreach (var path in (string[])["/api/options/agents", "/api/nothing", "/api/test/failure"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Origin", LocalApi.ListedOrigin } } };
            using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal([LocalApi.ListedOrigin], response.Headers.GetValues("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("*")]
    [InlineData("localhost:3001")]
    [InlineData("http://localhost:3001/")]
    [InlineData("http://*.example.org")]
    [InlineData("ftp://localhost")]
    public async Task What_is_not_an_exact_origin_stops_the_start(string origin)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync([$"Cors:Origins:0={origin}"]));
        Assert.Contains("Cors:Origins", refused.Message);
    }

    private async Task<HttpResponseMessage> PreflightAsync(string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/test/change");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type");
        return await api.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
