using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Secrets;

/// <summary>The calls of the front end's secrets and integrations pages, and the platform's own, over HTTP.</summary>
public sealed class SecretsApiTests(DatabaseServer server) : IAsyncLifetime
{
    private static readonly (string Method, string Path, string? Body, HttpStatusCode Expected)[] BadInput =
    [
        ("POST", "/api/secrets", """{"name":"A"}""", HttpStatusCode.BadRequest),
        ("POST", "/api/secrets", """{"name":null,"value":"canary"}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/secrets", """{"name":"A","value":null}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/secrets", """{"name":"a b","value":"canary"}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/secrets", """{"name":"a\u0000b","value":"canary"}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/secrets", """{"name":"a/b","value":"canary"}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/secrets", """{"name":"A","value":"canary","description":"\u0000"}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/secrets", """{"name":"A","value":{"canary":1}}""", HttpStatusCode.BadRequest),
        ("POST", "/api/secrets", """{"name":"A","value":"canary\ud800"}""", HttpStatusCode.BadRequest),
        ("DELETE", "/api/secrets/%01", null, HttpStatusCode.NotFound),
        ("PUT", "/api/secrets/%20", """{"name":"A"}""", HttpStatusCode.NotFound),
        ("POST", "/api/v1/secrets", """{"name":"A","value":"canary","more":1}""", HttpStatusCode.BadRequest),
        ("POST", "/api/v1/secrets/A/versions/x/restore", null, HttpStatusCode.NotFound),
        ("POST", "/api/add-git-providers", """{"provider_tokens":{"sourceforge":{"token":"canary"}}}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/add-git-providers", """{"provider_tokens":{"github":{"token":"canary\u0000"}}}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "/api/add-git-providers", """{"provider_tokens":[]}""", HttpStatusCode.BadRequest),
    ];

    private TestDatabase _database = null!;
    private ApiHost _api = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}"]);
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task The_secrets_page_works_as_the_front_end_calls_it()
    {
        Assert.Equal("""{"custom_secrets":[]}""", await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/secrets"));
        await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, "/api/secrets", """{"name":"MY_TOKEN","value":"s3cret","description":"a token","more":1}""");
        Assert.Equal("""{"custom_secrets":[{"name":"MY_TOKEN","description":"a token"}]}""", await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/secrets"));
        await RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Post, "/api/secrets", """{"name":"MY_TOKEN","value":"s"}""");
        await BodyAsync(HttpStatusCode.OK, HttpMethod.Put, "/api/secrets/MY_TOKEN", """{"name":"MY%2F$TÖKEN2"}""");
        Assert.Equal("MY%2F$TÖKEN2", (string?)JsonNode.Parse(await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/secrets"))!["custom_secrets"]![0]!["name"]);
        await BodyAsync(HttpStatusCode.OK, HttpMethod.Put, "/api/secrets/MY%252F%24T%C3%96KEN2", """{"name":"MY_TOKEN2"}""");
        await BodyAsync(HttpStatusCode.OK, HttpMethod.Delete, "/api/secrets/MY_TOKEN2");
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Delete, "/api/secrets/MY_TOKEN2");
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Put, "/api/secrets/MY_TOKEN2", """{"name":"A"}""");
    }

    [Fact]
    public async Task The_integrations_page_stores_tokens_and_the_settings_show_the_hosts()
    {
        await BodyAsync(HttpStatusCode.OK, HttpMethod.Post, "/api/settings", """{"language":"de","llm_api_key":"sk"}""");
        await BodyAsync(HttpStatusCode.OK, HttpMethod.Post, "/api/add-git-providers",
            """{"provider_tokens":{"github":{"token":"ghp_canary","host":""},"gitlab":{"token":"","host":"lab.example.org"},"bitbucket":{"token":"b","host":"bit.example.org"},"azure_devops":{"token":"","host":""},"forgejo":{"token":"","host":null}}}""");
        var settings = JsonNode.Parse(await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/settings"))!;
        Assert.Equal("""{"bitbucket":"bit.example.org","github":null}""", Sorted(settings["provider_tokens_set"]!.AsObject()));
        Assert.DoesNotContain("canary", settings.ToJsonString());
        // Neither a token nor a secret touches the settings.
        Assert.Equal("de", (string?)settings["language"]);
        Assert.True((bool?)settings["llm_api_key_set"]);

        await BodyAsync(HttpStatusCode.OK, HttpMethod.Post, "/api/unset-provider-tokens");
        settings = JsonNode.Parse(await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/settings"))!;
        Assert.Equal("{}", settings["provider_tokens_set"]!.ToJsonString());
    }

    [Fact]
    public async Task A_secret_has_versions_that_can_be_restored_and_shows_no_value()
    {
        await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, "/api/v1/secrets", """{"name":"A","value":"canary-1","description":"d"}""");
        await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Put, "/api/v1/secrets/A/value", """{"value":"canary-2"}""");
        var versions = await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/v1/secrets/A/versions");
        Assert.Equal(1, (int?)Assert.Single(JsonNode.Parse(versions)!.AsArray())!["version"]);
        await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Post, "/api/v1/secrets/A/versions/1/restore");
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Post, "/api/v1/secrets/A/versions/7/restore");
        var list = await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/v1/secrets");
        Assert.Equal(3, (int?)JsonNode.Parse(list)!["items"]![0]!["version"]);
        Assert.DoesNotContain("canary", list + versions);
        await RefusedAsync(HttpStatusCode.Conflict, HttpMethod.Post, "/api/v1/secrets", """{"name":"A","value":"v"}""");
        await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Delete, "/api/v1/secrets/A");
    }

    [Fact]
    public async Task A_change_that_was_made_for_another_version_is_412_and_changes_nothing()
    {
        await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, "/api/v1/secrets", """{"name":"A","value":"one","description":"d"}""");
        using (var read = await SendAsync(HttpMethod.Get, "/api/v1/secrets/A"))
        {
            Assert.Equal("\"1\"", read.Headers.ETag?.Tag);
            Assert.Equal("d", (string?)JsonNode.Parse(await read.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["description"]);
        }

        await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Put, "/api/v1/secrets/A/value", """{"value":"two"}""", ifMatch: "\"1\"");
        foreach (var stale in new[] { "\"1\"", "\"x\"", "W/\"2\"" })
        {
            await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Put, "/api/v1/secrets/A/value", """{"value":"three"}""", stale);
            await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Put, "/api/v1/secrets/A", """{"name":"B"}""", stale);
            await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Post, "/api/v1/secrets/A/versions/1/restore", ifMatch: stale);
            await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Delete, "/api/v1/secrets/A", ifMatch: stale);
        }

        Assert.Equal(["A|2"], await _database.QueryAsync("SELECT key, version FROM secrets"));
        await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Put, "/api/v1/secrets/A", """{"name":"B","description":"e"}""", ifMatch: "\"2\"");
        await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Delete, "/api/v1/secrets/B", ifMatch: "*");
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, "/api/v1/secrets/B");
    }

    [Fact]
    public async Task Pages_of_secrets_miss_and_repeat_none_that_stays_while_others_come_and_go()
    {
        foreach (var name in new[] { "b", "d", "f", "h", "j" })
            await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, "/api/v1/secrets", $$"""{"name":"{{name}}","value":"v"}""");
        var seen = new List<string>();
        string? next = null;
        do
        {
            var page = JsonNode.Parse(await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, $"/api/v1/secrets?limit=2{(next is null ? "" : $"&page_id={next}")}"))!;
            seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["name"]!));
            next = (string?)page["next_page_id"];
            if (seen.Count == 2)
            {
                // Before, at and after the place where the next page begins.
                await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, "/api/v1/secrets", """{"name":"a","value":"v"}""");
                await BodyAsync(HttpStatusCode.NoContent, HttpMethod.Delete, "/api/v1/secrets/d");
                await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, "/api/v1/secrets", """{"name":"e","value":"v"}""");
            }
        }
        while (next is not null);

        Assert.Equal(["b", "d", "e", "f", "h", "j"], seen);
        await RefusedAsync(HttpStatusCode.UnprocessableEntity, HttpMethod.Get, "/api/v1/secrets?page_id=%00");
    }

    [Fact]
    public async Task Secrets_of_an_organization_are_changed_by_admins_listed_by_members_and_404_to_others()
    {
        await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/secrets");
        var own = $"/api/v1/organizations/{await _database.DefaultOrganizationAsync(LocalUser.Id)}/secrets";
        await BodyAsync(HttpStatusCode.Created, HttpMethod.Post, own, """{"name":"A","value":"v"}""");
        Assert.Single(JsonNode.Parse(await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, own))!["items"]!.AsArray());
        Assert.Equal("""{"custom_secrets":[]}""", await BodyAsync(HttpStatusCode.OK, HttpMethod.Get, "/api/secrets"));

        var organization = await _database.DefaultOrganizationAsync(await _database.SignInAsync());
        var foreign = $"/api/v1/organizations/{organization}/secrets";
        await EveryRouteAsync(foreign, HttpStatusCode.NotFound, HttpStatusCode.NotFound);
        await _database.JoinAsync(organization, LocalUser.Id);
        await _database.QueryAsync(
            $"INSERT INTO secrets VALUES ('0198c0de000070008000000000000077', NULL, '{organization}', 'custom', 'A', 'jwe', 'key', '', NULL, 1, now(), now())");
        await EveryRouteAsync(foreign, HttpStatusCode.OK, HttpStatusCode.Forbidden);
        Assert.Equal(["A|jwe|1"], await _database.QueryAsync($"SELECT key, value_encrypted, version FROM secrets WHERE organization_id = '{organization}'"));
    }

    [Fact]
    public async Task Bad_input_is_refused_without_repeating_a_value()
    {
        foreach (var (method, path, body, expected) in BadInput)
            Assert.DoesNotContain("canary", await RefusedAsync(expected, HttpMethod.Parse(method), path, body));
        Assert.DoesNotContain(_api.Log.Entries, entry => entry.Text.Contains("canary"));
    }

    private async Task EveryRouteAsync(string secrets, HttpStatusCode read, HttpStatusCode change)
    {
        foreach (var path in new[] { secrets, $"{secrets}/A", $"{secrets}/A/versions" })
        {
            using var response = await SendAsync(HttpMethod.Get, path);
            Assert.Equal(read, response.StatusCode);
        }

        await RefusedAsync(change, HttpMethod.Post, secrets, """{"name":"B","value":"v"}""");
        await RefusedAsync(change, HttpMethod.Put, $"{secrets}/A", """{"name":"B"}""");
        await RefusedAsync(change, HttpMethod.Put, $"{secrets}/A/value", """{"value":"v"}""");
        await RefusedAsync(change, HttpMethod.Delete, $"{secrets}/A");
        await RefusedAsync(change, HttpMethod.Post, $"{secrets}/A/versions/1/restore");
    }

    private static string Sorted(JsonObject members) =>
        new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))).ToJsonString();

    private async Task<string> BodyAsync(HttpStatusCode expected, HttpMethod method, string path, string? body = null, string? ifMatch = null)
    {
        using var response = await SendAsync(method, path, body, ifMatch);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == expected, $"{method} {path}: {response.StatusCode} {text}");
        return text;
    }

    private async Task<string> RefusedAsync(HttpStatusCode expected, HttpMethod method, string path, string? body = null, string? ifMatch = null)
    {
        using var response = await SendAsync(method, path, body, ifMatch);
        return await Problem.AssertAsync(expected, response);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await _api.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
