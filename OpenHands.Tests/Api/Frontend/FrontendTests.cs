using System.Net;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Frontend;

public sealed class FrontendTests(BuiltFrontend frontend) : IClassFixture<BuiltFrontend>
{
    private const string Browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    private const string Script = "application/json, text/plain, */*";

    [Theory]
    [InlineData("/", Browser)]
    [InlineData("/", "*/*")]
    [InlineData("/index.html", Browser)]
    [InlineData("/settings/mcp", Browser)]
    [InlineData("/settings/mcp", "*/*")]
    [InlineData("/settings/mcp", null)]
    [InlineData("/conversations/2430464b3e724004bfd4b71a0d145880?tab=1", Browser)]
    [InlineData("/shared/v1.2", Browser)]
    [InlineData("/apiary", Browser)]
    public async Task Every_address_of_the_front_end_is_its_page_and_never_cached(string path, string? accept)
    {
        using var response = await GetAsync(path, accept);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(BuiltFrontend.Page, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        AssertNeverCached(response);
    }

    [Theory]
    [InlineData("/api")]
    [InlineData("/api/nothing")]
    [InlineData("/API/nothing")]
    [InlineData("/sockets/events/1")]
    [InlineData("/socket.io/?EIO=4")]
    [InlineData("/oauth/keycloak/callback")]
    [InlineData("/feedback/conversation")]
    [InlineData("/integration/slack")]
    [InlineData("/mcp")]
    [InlineData("/mcp/")]
    [InlineData("/runtime/55313/x")]
    [InlineData("/openapi/v2.json")]
    [InlineData("/health/more")]
    [InlineData("/alive/more")]
    public async Task An_unknown_address_of_the_server_is_a_problem_and_never_the_page(string path)
    {
        using var response = await GetAsync(path, Browser);
        await Problem.AssertAsync(HttpStatusCode.NotFound, response);
    }

    [Theory]
    [InlineData("/assets/gone-1a2b.js", Browser)]
    [InlineData("/assets/gone", Browser)]
    [InlineData("/assets", Browser)]
    [InlineData("/ASSETS/gone.js", Browser)]
    [InlineData("/locales/xx/translation.json", "*/*")]
    [InlineData("/locales/xx/translation.json", Script)]
    [InlineData("/settings", "application/json")]
    [InlineData("/settings", "text/html;q=0")]
    public async Task A_missing_file_or_data_is_a_problem_and_never_the_page(string path, string accept)
    {
        using var response = await GetAsync(path, accept);
        await Problem.AssertAsync(HttpStatusCode.NotFound, response);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task The_page_is_only_for_reading(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/settings") { Headers = { { "Accept", Browser } } };
        using var response = await frontend.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await Problem.AssertAsync(HttpStatusCode.NotFound, response);
    }

    [Fact]
    public async Task A_fingerprinted_file_may_be_kept_for_a_month()
    {
        using var response = await GetAsync("/assets/app-1a2b.js", "*/*");
        Assert.Equal("let x;", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("text/javascript", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["public, max-age=2592000, immutable"], response.Headers.NonValidated["Cache-Control"]);
    }

    [Theory]
    [InlineData("/favicon.ico", "icon")]
    [InlineData("/locales/en/translation.json", "{}")]
    public async Task Any_other_file_is_served_and_never_cached(string path, string text)
    {
        using var response = await GetAsync(path, "*/*");
        Assert.Equal(text, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        AssertNeverCached(response);
    }

    [Fact]
    public async Task A_file_of_an_unknown_type_is_served_as_bytes()
    {
        using var response = await GetAsync("/assets/font-1a2b.unknowntype", "*/*");
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("/.env")]
    [InlineData("/.git/config")]
    [InlineData("/../secret.txt")]
    [InlineData("/assets/../../secret.txt")]
    [InlineData("/%2e%2e/secret.txt")]
    [InlineData("/..%2fsecret.txt")]
    [InlineData("/assets/..%2f..%2fsecret.txt")]
    [InlineData("/..%5csecret.txt")]
    [InlineData("//secret.txt")]
    public async Task Nothing_hidden_and_nothing_outside_of_the_folder_is_served(string path)
    {
        var exactly = new Uri(frontend.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var response = await frontend.Client.GetAsync(exactly, TestContext.Current.CancellationToken);
        await Problem.AssertAsync(HttpStatusCode.NotFound, response);
    }

    [Fact]
    public async Task A_head_request_gets_the_pages_headers()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/settings");
        using var response = await frontend.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(BuiltFrontend.Page.Length, response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task The_api_answers_beside_the_front_end()
    {
        using var response = await GetAsync("/api/options/agents", Browser);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
    }

    private static void AssertNeverCached(HttpResponseMessage response)
    {
        Assert.Equal(["no-cache, no-store, must-revalidate, max-age=0"], response.Headers.NonValidated["Cache-Control"]);
        Assert.Equal(["no-cache"], response.Headers.NonValidated["Pragma"]);
        Assert.Equal(["0"], response.Content.Headers.NonValidated["Expires"]);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
            request.Headers.Add("Accept", accept);
        return await frontend.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
