using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Http;

public sealed class ReferencePageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_shows_the_document_and_fetches_nothing_from_elsewhere()
    {
        await using var api = await ApiHost.StartAsync([]);
        using var answer = await NavigateAsync(api, "/reference");
        using var page = answer.StatusCode is HttpStatusCode.OK ? answer : await NavigateAsync(api, answer.Headers.Location!.OriginalString);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        var html = await page.Content.ReadAsStringAsync(Token);
        Assert.Contains("openapi/v1.json", html);
        Assert.DoesNotMatch("(src|href)=\"(https?:)?//", html);

        var scripts = Regex.Matches(html, "src=\"([^\"]+)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
        {
            using var loaded = await api.Client.GetAsync(new Uri(new Uri(api.Client.BaseAddress!, "/reference/"), script), Token);
            Assert.True(loaded.StatusCode == HttpStatusCode.OK, $"{script}: {loaded.StatusCode}");
        }
    }

    [Fact]
    public async Task With_a_login_neither_page_nor_document_is_there_for_anonymous_callers()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var api = await ApiHost.StartAsync(issuer.Settings);
        using (var page = await NavigateAsync(api, "/reference"))
            Assert.Equal("/auth/login?return_to=%2Freference", page.Headers.Location?.OriginalString);
        foreach (var path in new[] { "/reference", "/openapi/v1.json" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("application/json") } } };
            using var answer = await api.Client.SendAsync(request, Token);
            await Problem.AssertAsync(HttpStatusCode.Unauthorized, answer);
        }
    }

    private static async Task<HttpResponseMessage> NavigateAsync(ApiHost api, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/html") } } };
        return await api.Client.SendAsync(request, Token);
    }
}
