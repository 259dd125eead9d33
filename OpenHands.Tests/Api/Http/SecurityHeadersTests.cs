namespace OpenHands.Tests.Api.Http;

public sealed class SecurityHeadersTests(LocalApi api) : IClassFixture<LocalApi>
{
    [Theory]
    [InlineData("/")]
    [InlineData("/api/options/agents")]
    [InlineData("/api/nothing")]
    [InlineData("/api/test/failure")]
    public async Task Every_answer_keeps_browsers_from_guessing_framing_and_telling(string path)
    {
        using var response = await api.Client.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(["nosniff"], response.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(["same-origin"], response.Headers.GetValues("Referrer-Policy"));
        Assert.Equal(["SAMEORIGIN"], response.Headers.GetValues("X-Frame-Options"));
        Assert.Equal(["frame-ancestors 'self'"], response.Headers.GetValues("Content-Security-Policy"));
        Assert.False(response.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("/api/test/user")]
    [InlineData("/api/nothing")]
    public async Task No_cache_keeps_what_the_api_says(string path)
    {
        using var response = await api.Client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.True(response.Headers.CacheControl?.NoStore);
    }
}
