using System.Text.Json.Nodes;

namespace OpenHands.Tests.Api.Http;

public sealed class OpenApiTests(LocalApi api) : IClassFixture<LocalApi>
{
    [Fact]
    public async Task The_api_describes_itself_in_the_words_of_its_handlers()
    {
        var document = JsonNode.Parse(await api.Client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken))!;

        Assert.StartsWith("3.1.", (string?)document["openapi"]);
        Assert.Equal("OpenHands", (string?)document["info"]!["title"]);
        Assert.NotEmpty((string?)document["paths"]!["/api/options/models"]!["get"]!["summary"] ?? "");
        Assert.Null(document["paths"]!["/health"]);
    }
}
