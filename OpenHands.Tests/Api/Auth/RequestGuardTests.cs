using System.Net;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Auth;

public sealed class RequestGuardTests(LocalApi api) : IClassFixture<LocalApi>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_caller_on_this_machine_is_the_local_user_without_a_login() =>
        Assert.Equal(LocalUser.Id, await api.Client.GetStringAsync("/api/test/user", Stop));

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:3000")]
    [InlineData("app.localhost:3000")]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.10:1")]
    [InlineData("[::1]:3000")]
    [InlineData("oh.example.org")]
    [InlineData("a.b.example.net:8080")]
    public async Task A_host_name_of_ours_is_answered(string host)
    {
        using var response = await SendAsync(HttpMethod.Get, "/api/test/user", ("Host", host));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("evillocalhost")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("192.168.1.5:3000")]
    [InlineData("0.0.0.0:3000")]
    [InlineData("[::2]:3000")]
    [InlineData("localhost.")]
    [InlineData("sub.oh.example.org")]
    [InlineData("example.net")]
    [InlineData("evilexample.net")]
    public async Task A_name_that_a_stranger_could_bind_to_this_machine_is_refused(string host)
    {
        using var response = await SendAsync(HttpMethod.Get, "/api/test/user", ("Host", host));
        var message = await Problem.AssertAsync(HttpStatusCode.MisdirectedRequest, response);
        Assert.Contains("Identity:AllowedHosts", message);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/api/v1/web-client/config")]
    [InlineData("/health/more")]
    public async Task No_page_of_the_server_answers_under_a_foreign_name(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path, ("Host", "evil.example"));
        await Problem.AssertAsync(HttpStatusCode.MisdirectedRequest, response);
    }

    [Theory]
    [InlineData("/alive", "10.1.2.3:8080")]
    [InlineData("/ALIVE", "api.default.svc")]
    public async Task Probes_may_call_by_any_name_and_from_anywhere(string path, string host)
    {
        using var response = await SendAsync(HttpMethod.Get, path, ("Host", host), ("X-Forwarded-For", "10.0.0.1"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("http://localhost:{port}", "localhost:{port}")]
    [InlineData("https://LOCALHOST:{port}", "localhost:{port}")]
    [InlineData("http://[::1]:{port}", "[::1]:{port}")]
    [InlineData("http://localhost", "localhost")]
    [InlineData("http://localhost", "localhost:80")]
    [InlineData("https://oh.example.org", "oh.example.org")]
    [InlineData(LocalApi.ListedOrigin, "localhost:{port}")]
    public async Task A_page_of_ours_may_change_something(string origin, string host)
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/test/change", ("Origin", WithPort(origin)), ("Host", WithPort(host)));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("http://localhost:1")]
    [InlineData("http://localhost")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("file://localhost")]
    [InlineData("http://localhost:3001.evil.example")]
    [InlineData("not an origin")]
    public async Task A_page_of_another_origin_may_not_change_anything(string origin)
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/test/change", ("Origin", origin), ("Host", WithPort("localhost:{port}")));
        var message = await Problem.AssertAsync(HttpStatusCode.Forbidden, response);
        Assert.Contains("Cors:Origins", message);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("PROPFIND")]
    public async Task Every_method_that_is_not_known_to_be_safe_counts_as_a_change(string method)
    {
        using var response = await SendAsync(new HttpMethod(method), "/api/test/change", ("Origin", "http://evil.example"));
        await Problem.AssertAsync(HttpStatusCode.Forbidden, response);
    }

    [Theory]
    [InlineData("cross-site", null, HttpStatusCode.Forbidden)]
    [InlineData("cross-site", "http://localhost:{port}", HttpStatusCode.Forbidden)]
    [InlineData("cross-site", LocalApi.ListedOrigin, HttpStatusCode.OK)]
    [InlineData("same-origin", "http://localhost:{port}", HttpStatusCode.OK)]
    [InlineData("none", null, HttpStatusCode.OK)]
    public async Task The_browsers_word_about_the_calling_site_counts(string site, string? origin, HttpStatusCode expected)
    {
        (string, string)[] headers = [("Sec-Fetch-Site", site), ("Host", WithPort("localhost:{port}"))];
        using var response = await SendAsync(HttpMethod.Post, "/api/test/change",
            origin is null ? headers : [.. headers, ("Origin", WithPort(origin))]);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_program_that_sends_no_origin_may_change_something()
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/test/change");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_socket_is_not_opened_for_a_page_of_another_origin()
    {
        using var response = await SendAsync(HttpMethod.Get, "/api/test/user",
            ("Origin", "http://evil.example"), ("Connection", "Upgrade"), ("Upgrade", "websocket"));
        await Problem.AssertAsync(HttpStatusCode.Forbidden, response);
    }

    [Fact]
    public async Task A_stranger_may_read_what_the_browser_will_not_show_him()
    {
        using var response = await SendAsync(HttpMethod.Get, "/api/test/user", ("Origin", "http://evil.example"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await api.Client.SendAsync(request, Stop);
    }

    private string WithPort(string text) => text.Replace("{port}", $"{api.Client.BaseAddress!.Port}");
}
