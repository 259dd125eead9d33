using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Api.Auth;
using OpenHands.Storage.ApiKeys;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.ApiKeys;

/// <summary>Keys for programs, over HTTP, with two replicas on one database.</summary>
public sealed class ApiKeysApiTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Keys = "/api/v1/api-keys";

    private TestDatabase _database = null!;
    private ApiHost _api = null!;
    private ApiHost _other = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}"]);
        _other = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task A_key_is_shown_once_stored_as_its_hash_and_speaks_for_its_user_on_every_replica()
    {
        var (made, key) = await MakeAsync("sessions:write", "settings:read");
        Assert.Matches("^sk-oh-[0-9A-Za-z]{49}$", key);
        Assert.StartsWith((string)made["prefix"]!, key);

        Assert.DoesNotContain(key[12..], (await JsonAsync(HttpMethod.Get, Keys)).ToJsonString());
        Assert.Empty(await _database.QueryAsync($"SELECT 1 FROM api_keys WHERE api_keys::text LIKE '%{key[12..]}%'"));
        Assert.Equal(["32"], await _database.QueryAsync("SELECT octet_length(hash) FROM api_keys"));

        var me = await JsonAsync(HttpMethod.Get, "/api/v1/users/me", key: key, host: _other);
        Assert.Equal(LocalUser.Id, (string?)me["id"]);
        using var answer = await SendAsync(_other, HttpMethod.Get, "/api/v1/sessions", header: ("X-Session-API-Key", key));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_by_all_replicas()
    {
        var (made, key) = await MakeAsync("sessions:read");
        foreach (var host in new[] { _api, _other })
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/api/v1/sessions", key));

        using (await SendAsync(_api, HttpMethod.Delete, $"{Keys}/{made["id"]}"))
        {
        }

        foreach (var host in new[] { _api, _other })
            await Eventually.TrueAsync("the key is refused", async () => await StatusAsync(host, HttpMethod.Get, "/api/v1/sessions", key) == HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("GET", "/api/v1/sessions", "sessions:read", HttpStatusCode.OK)]
    [InlineData("GET", "/api/v1/sessions", "sessions:write", HttpStatusCode.OK)]
    [InlineData("POST", "/api/v1/sessions", "sessions:read", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/api/v1/sessions", "secrets:write", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/api/secrets", "settings:write", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/api/v1/organizations", "organizations:read", HttpStatusCode.OK)]
    [InlineData("POST", "/api/v1/api-keys", "keys:read", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/api/options/models", "keys:read", HttpStatusCode.OK)]
    public async Task A_key_may_do_what_its_scopes_say(string method, string path, string scope, HttpStatusCode expected)
    {
        var (_, key) = await MakeAsync(scope);
        Assert.Equal(expected, await StatusAsync(_api, new HttpMethod(method), path, key));
    }

    [Fact]
    public async Task A_key_makes_none_with_more_than_its_own_scopes()
    {
        var (_, key) = await MakeAsync("keys:write", "sessions:read");
        using (var more = await SendAsync(_api, HttpMethod.Post, Keys, """{"name":"more","scopes":["secrets:read"]}""", key))
            await Problem.AssertAsync(HttpStatusCode.Forbidden, more);
        using (var same = await SendAsync(_api, HttpMethod.Post, Keys, """{"name":"same","scopes":["sessions:read"]}""", key))
            Assert.Equal(HttpStatusCode.Created, same.StatusCode);
        Assert.Equal(["keys:write", "sessions:read"], (await JsonAsync(HttpMethod.Post, "/api/keys", """{"name":"front end"}""", key))["scopes"]!.AsArray().Select(scope => (string?)scope));
    }

    [Fact]
    public async Task A_key_works_in_its_own_organization_only_and_ends_with_the_membership()
    {
        var other = (string)(await JsonAsync(HttpMethod.Post, "/api/v1/organizations", """{"name":"Other"}""", expected: HttpStatusCode.Created))["id"]!;
        var (made, key) = await MakeAsync("organizations:write", "secrets:write", "sessions:write");
        Assert.NotEqual(other, (string?)made["organization_id"]);
        foreach (var path in new[] { "", "/members", "/secrets", "/sessions", "/settings" })
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(_api, HttpMethod.Get, $"/api/v1/organizations/{other}{path}", key));

        // Another admin, so that the user can leave.
        var colleague = await _database.SignInAsync();
        await _database.JoinAsync((string)made["organization_id"]!, colleague, "admin");
        await JsonAsync(HttpMethod.Delete, $"/api/v1/organizations/{made["organization_id"]}/members/{LocalUser.Id}", expected: HttpStatusCode.NoContent);
        await Eventually.TrueAsync("the key is refused", async () => await StatusAsync(_other, HttpMethod.Get, "/api/v1/sessions", key) == HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("sk-oh-")]
    [InlineData("sk-oh-0000000000000000000000000000000000000000000000000")]
    [InlineData("not a key")]
    public async Task What_is_no_key_is_401_though_the_local_mode_asks_nobody_to_log_in(string text)
    {
        using var answer = await SendAsync(_api, HttpMethod.Get, "/api/v1/sessions", header: ("X-Session-API-Key", text));
        await Problem.AssertAsync(HttpStatusCode.Unauthorized, answer);
        Assert.DoesNotContain(text, await answer.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task An_expired_key_is_refused()
    {
        var (made, key) = await MakeAsync("sessions:read");
        await _database.QueryAsync($"UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = '{made["id"]}'");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(_api, HttpMethod.Get, "/api/v1/sessions", key));
    }

    [Fact]
    public async Task When_a_key_was_last_used_is_written_at_the_latest_when_the_process_ends()
    {
        var (made, key) = await MakeAsync("sessions:read");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_api, HttpMethod.Get, "/api/v1/sessions", key));
        Assert.Equal([""], await _database.QueryAsync($"SELECT last_used_at FROM api_keys WHERE id = '{made["id"]}'"));
        await _api.Services.GetRequiredService<ApiKeyUses>().StopAsync(Token);
        Assert.Equal(["True"], await _database.QueryAsync($"SELECT last_used_at > created_at - interval '1 minute' FROM api_keys WHERE id = '{made["id"]}'"));
    }

    [Fact]
    public async Task The_front_end_lists_makes_and_deletes_keys()
    {
        var made = await JsonAsync(HttpMethod.Post, "/api/keys", """{"name":"k1","unknown":1}""");
        Assert.StartsWith("sk-oh-", (string?)made["key"]);
        var listed = Assert.Single((await JsonAsync(HttpMethod.Get, "/api/keys")).AsArray())!;
        Assert.Equal(("k1", (string?)made["id"]), ((string?)listed["name"], (string?)listed["id"]));
        Assert.Null(listed["key"]);
        Assert.True(listed.AsObject().ContainsKey("last_used_at"));
        Assert.NotNull((await JsonAsync(HttpMethod.Delete, $"/api/keys/{made["id"]}"))["message"]);
        Assert.Empty((await JsonAsync(HttpMethod.Get, "/api/keys")).AsArray());
    }

    [Theory]
    [InlineData("""{"name":"a"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"name":"","scopes":["keys:read"]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"name":"a\u0000","scopes":["keys:read"]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"name":"a","scopes":[]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"name":"a","scopes":["everything"]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"name":"a","scopes":[null]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"name":"a","scopes":["keys:read"],"expires_at":"2020-01-01T00:00:00Z"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"name":"a","scopes":["keys:read"],"role":"admin"}""", HttpStatusCode.BadRequest)]
    public async Task A_key_that_cannot_be_made_is_refused(string body, HttpStatusCode expected)
    {
        using var answer = await SendAsync(_api, HttpMethod.Post, Keys, body);
        await Problem.AssertAsync(expected, answer);
    }

    private async Task<(JsonNode Made, string Key)> MakeAsync(params string[] scopes)
    {
        var made = await JsonAsync(
            HttpMethod.Post, Keys, new JsonObject { ["name"] = "key", ["scopes"] = new JsonArray([.. scopes.Select(scope => (JsonNode)scope)]) }.ToJsonString(),
            expected: HttpStatusCode.Created);
        return (made, (string)made["key"]!);
    }

    private async Task<HttpStatusCode> StatusAsync(ApiHost host, HttpMethod method, string path, string key)
    {
        using var answer = await SendAsync(host, method, path, method == HttpMethod.Post ? "{}" : null, key);
        return answer.StatusCode;
    }

    private async Task<JsonNode> JsonAsync(
        HttpMethod method, string path, string? body = null, string? key = null, HttpStatusCode expected = HttpStatusCode.OK, ApiHost? host = null)
    {
        using var answer = await SendAsync(host ?? _api, method, path, body, key);
        var text = await answer.Content.ReadAsStringAsync(Token);
        Assert.True(expected == answer.StatusCode, $"{answer.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        ApiHost host, HttpMethod method, string path, string? body = null, string? key = null, (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (header is var (name, value))
            request.Headers.TryAddWithoutValidation(name, value);
        return await host.Client.SendAsync(request, Token);
    }
}
