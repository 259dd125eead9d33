using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace OpenHands.Tests.Support;

/// <summary>Two replicas of the API in the mode with a login, on one database, and people who call them with the issuer's tokens.</summary>
internal sealed class OidcReplicas : IAsyncDisposable
{
    private OidcReplicas(TestDatabase database, Issuer issuer, ApiHost one, ApiHost two) => (Database, Issuer, One, Two) = (database, issuer, one, two);

    public TestDatabase Database { get; }

    public Issuer Issuer { get; }

    public ApiHost One { get; }

    public ApiHost Two { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<OidcReplicas> StartAsync(TestDatabase database, params string[] settings)
    {
        var issuer = await Issuer.StartAsync();
        string[] all = [$"ConnectionStrings:openhands={database.App}", .. issuer.Settings, .. settings];
        return new OidcReplicas(database, issuer, await ApiHost.StartAsync(all), await ApiHost.StartAsync(all));
    }

    public async ValueTask DisposeAsync()
    {
        await One.DisposeAsync();
        await Two.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    /// <summary>A token for a person, good for both replicas.</summary>
    public string TokenOf(string person) => Issuer.TokenFor(Issuer.Named(person));

    /// <summary>Path of the default organization of a person, who logs in by this for the first time.</summary>
    public async Task<string> OrganizationOfAsync(string person)
    {
        var page = await JsonAsync(HttpStatusCode.OK, TokenOf(person), HttpMethod.Get, "/api/v1/organizations");
        return $"/api/v1/organizations/{page["items"]![0]!["id"]}";
    }

    public async Task<string> UserIdAsync(string person) =>
        (string)(await JsonAsync(HttpStatusCode.OK, TokenOf(person), HttpMethod.Get, "/api/v1/users/me"))["id"]!;

    public async Task<JsonNode> JsonAsync(HttpStatusCode expected, string bearer, HttpMethod method, string path, string? body = null)
    {
        using var response = await SendAsync(One, bearer, method, path, body);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == expected, $"{method} {path}: {response.StatusCode} {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public static async Task<HttpStatusCode> StatusAsync(ApiHost host, string bearer, HttpMethod method, string path, string? body = null)
    {
        using var response = await SendAsync(host, bearer, method, path, body);
        if ((int)response.StatusCode >= 400)
            await Problem.AssertAsync(response.StatusCode, response);
        return response.StatusCode;
    }

    public static async Task<HttpResponseMessage> SendAsync(ApiHost host, string bearer, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await host.Client.SendAsync(request, Token);
    }
}
