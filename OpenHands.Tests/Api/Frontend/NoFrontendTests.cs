using System.Net;
using Microsoft.Extensions.Options;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Frontend;

public sealed class NoFrontendTests
{
    [Theory]
    [InlineData("text/html,*/*;q=0.8", "text/html")]
    [InlineData("*/*", "text/plain")]
    public async Task Without_a_front_end_the_root_says_how_to_get_one(string accept, string mediaType)
    {
        await using var api = await ApiHost.StartAsync([]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", accept } } };

        using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(mediaType, response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("Frontend:Directory", text);
        Assert.Contains("VITE_BACKEND_HOST", text);
        Assert.Contains("Cors:Origins", text);
    }

    [Fact]
    public async Task Without_a_front_end_other_pages_are_not_there()
    {
        await using var api = await ApiHost.StartAsync([]);
        using var response = await api.Client.GetAsync("/settings", TestContext.Current.CancellationToken);
        await Problem.AssertAsync(HttpStatusCode.NotFound, response);
    }

    [Fact]
    public void A_folder_that_is_missing_or_has_no_page_stops_the_start_with_the_reason()
    {
        var empty = Directory.CreateTempSubdirectory("openhands-frontend-");
        try
        {
            var missing = Path.Combine(empty.FullName, "missing");
            Assert.Contains($"{missing}, which is not a folder", Refusal(missing));
            Assert.Contains($"{empty.FullName}, which has no index.html", Refusal(empty.FullName));
        }
        finally
        {
            empty.Delete(recursive: true);
        }
    }

    private static string Refusal(string directory) =>
        Assert.Throws<OptionsValidationException>(() => ApiHost.Build([$"Frontend:Directory={directory}"])).Message;
}
