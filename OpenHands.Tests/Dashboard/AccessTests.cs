using System.Net;

namespace OpenHands.Tests.Dashboard;

/// <summary>Who may look at the dashboard.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private RunningDashboard _dashboard = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _dashboard = await RunningDashboard.StartAsync();

    public ValueTask DisposeAsync() => _dashboard.DisposeAsync();

    [Theory]
    [InlineData("/")]
    [InlineData("/structuredlogs")]
    [InlineData("/consolelogs/api/download")]
    public async Task Nobody_sees_a_page_before_the_link_was_opened(string path)
    {
        using var answer = await GetAsync(path);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.StartsWith("/login", answer.Headers.Location!.PathAndQuery, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_connects_before_the_link_was_opened()
    {
        using var answer = await _dashboard.Page.PostAsync(new Uri("/_blazor/negotiate?negotiateVersion=1", UriKind.Relative), null, Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_link_opens_the_dashboard_once_and_the_cookie_from_then_on()
    {
        using var opened = await GetAsync($"/login?t={RunningDashboard.Token}");
        Assert.Equal(HttpStatusCode.Redirect, opened.StatusCode);
        Assert.Equal("/", opened.Headers.Location!.OriginalString);
        var cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);

        using var page = await GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.DoesNotContain(RunningDashboard.Token, await page.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);

        // Again with the cookie it is no mistake; in another browser it is.
        using var again = await GetAsync($"/login?t={RunningDashboard.Token}");
        Assert.Equal(HttpStatusCode.Redirect, again.StatusCode);
        using var another = new HttpClient { BaseAddress = _dashboard.Page.BaseAddress };
        using var refused = await another.GetAsync(new Uri($"/login?t={RunningDashboard.Token}", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("opened before", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_token_opens_nothing_and_does_not_use_the_link_up()
    {
        using var wrong = await GetAsync("/login?t=another");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.False(wrong.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith("openhands-dashboard", StringComparison.Ordinal)));
        using var right = await GetAsync($"/login?t={RunningDashboard.Token}");
        Assert.Equal(HttpStatusCode.Redirect, right.StatusCode);
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("/\\evil.example")]
    public async Task A_link_leads_nowhere_else(string destination)
    {
        using var opened = await GetAsync($"/login?t={RunningDashboard.Token}&returnUrl={Uri.EscapeDataString(destination)}");
        Assert.Equal("/", opened.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    public async Task A_page_of_others_gets_nothing(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/login", UriKind.Relative));
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await _dashboard.Page.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private Task<HttpResponseMessage> GetAsync(string path) => _dashboard.Page.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
}
