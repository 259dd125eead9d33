using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Auth;

/// <summary>A server that others reach and that no issuer is configured for: nobody is anonymous, and keys are all that counts.</summary>
public sealed class KeysModeTests(KeysModeApi fixture) : IClassFixture<KeysModeApi>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/api/settings")]
    [InlineData("POST", "/api/settings")]
    [InlineData("GET", "/api/v1/sessions")]
    [InlineData("GET", "/api/options/models")]
    [InlineData("GET", "/somewhere")]
    [InlineData("GET", "/openapi/v1.json")]
    [InlineData("POST", "/api/authenticate")]
    public async Task Without_a_key_everything_is_closed_even_to_this_machine(string method, string path)
    {
        var api = fixture.Host;
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));

        using var answer = await api.Client.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    [InlineData("/api/v1/web-client/config")]
    public async Task What_probes_and_the_front_end_need_first_is_open(string path)
    {
        var api = fixture.Host;
        using var answer = await api.Client.GetAsync(new Uri(path, UriKind.Relative), Token);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_key_works_under_any_host_name_and_from_behind_a_proxy()
    {
        var api = fixture.Host;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sessions");
        request.Headers.Host = "openhands.example.org";
        request.Headers.Add("X-Forwarded-For", "203.0.113.7");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", fixture.Key);

        using var answer = await api.Client.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("Bearer sk-oh-0000000000000000000000000000000000000000000000000")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.e30.")]
    [InlineData("Basic YTpi")]
    public async Task Anything_else_in_its_place_is_401_and_says_what_to_send(string header)
    {
        var api = fixture.Host;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/settings");
        request.Headers.Add("Authorization", header);

        using var answer = await api.Client.SendAsync(request, Token);

        var problem = await Problem.AssertAsync(HttpStatusCode.Unauthorized, answer);
        Assert.Contains("API key", problem, StringComparison.Ordinal);
    }
}

/// <summary>Such a server, and a key for it.</summary>
public sealed class KeysModeApi(DatabaseServer server) : IAsyncLifetime
{
    internal ApiHost Host { get; private set; } = null!;

    public string Key { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var database = await server.CreateMigratedAsync();
        // By the local user of the same database: who makes the first key of a real server is another story.
        await using (var laptop = await ApiHost.StartAsync([$"ConnectionStrings:openhands={database.App}"]))
        {
            using var body = new StringContent("""{"name":"tests","scopes":["sessions:read"]}""", Encoding.UTF8, "application/json");
            using var made = await laptop.Client.PostAsync(new Uri("/api/v1/api-keys", UriKind.Relative), body, TestContext.Current.CancellationToken);
            Key = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["key"]!;
        }

        Host = await ApiHost.StartAsync([$"ConnectionStrings:openhands={database.App}", "Identity:Mode=keys"]);
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
