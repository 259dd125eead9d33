using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Settings;

/// <summary>The settings page's own calls, over HTTP, against a real database.</summary>
public sealed class SettingsApiTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Ring = "a key ring of the tests, long enough";

    private TestDatabase _database = null!;
    private ApiHost _api = null!;

    // The local mode has one user, so every test has a database of its own.
    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _api = await StartAsync(Ring);
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task Before_the_first_save_it_is_404_with_the_text_that_the_front_end_knows()
    {
        using var response = await GetAsync();
        Assert.Equal("Settings not found", await Problem.AssertAsync(HttpStatusCode.NotFound, response));
    }

    [Fact]
    public async Task Saved_settings_come_back_complete_without_the_key()
    {
        using (var saved = await PostAsync("""{"llm_model":"anthropic/claude","llm_api_key":"sk-canary","language":"en","v1_enabled":false,"email_verified":false}"""))
        {
            Assert.Equal(HttpStatusCode.OK, saved.StatusCode);
            Assert.Equal("""{"message":"Settings stored"}""", await TextAsync(saved));
        }

        using var response = await GetAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("\"1\"", response.Headers.ETag?.Tag);
        var body = await TextAsync(response);
        Assert.DoesNotContain("canary", body);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse(
                """
                {"language":"en","agent":null,"max_iterations":null,"security_analyzer":null,"confirmation_mode":null,
                "llm_model":"anthropic/claude","llm_api_key":null,"llm_base_url":null,"user_version":null,
                "remote_runtime_resource_factor":null,"secrets_store":{"provider_tokens":{}},"enable_default_condenser":true,
                "enable_sound_notifications":false,"enable_proactive_conversation_starters":true,"enable_solvability_analysis":true,
                "user_consents_to_analytics":null,"sandbox_base_container_image":null,"sandbox_runtime_container_image":null,
                "mcp_config":null,"search_api_key":null,"sandbox_api_key":null,"max_budget_per_task":null,"condenser_max_size":null,
                "email":null,"email_verified":null,"git_user_name":null,"git_user_email":null,"v1_enabled":true,
                "provider_tokens_set":{},"llm_api_key_set":true,"search_api_key_set":false}
                """),
            JsonNode.Parse(body)), body);
    }

    [Fact]
    public async Task The_whole_answer_posted_back_keeps_everything_and_the_version()
    {
        using (await PostAsync(
            """
            {"llm_api_key":"sk","search_api_key":"tvly","user_consents_to_analytics":true,
            "mcp_config":{"shttp_servers":[{"url":"https://h","api_key":"k"}],"stdio_servers":[{"name":"n","command":"c","env":{"someName":"v"}}]}}
            """))
        {
        }

        using var first = await GetAsync();
        var shown = await TextAsync(first);
        // The default model is in the answer, too; posted back it is no choice.
        using (await PostAsync(shown))
        using (await PostAsync(shown))
        {
        }

        using var second = await GetAsync();
        Assert.Equal(shown, await TextAsync(second));
        Assert.Equal("\"1\"", second.Headers.ETag?.Tag);
    }

    [Fact]
    public async Task A_save_with_If_Match_changes_only_the_version_that_it_names()
    {
        using (await PostAsync("""{"language":"de"}"""))
        using (var stale = await _api.Client.SendAsync(Post("""{"language":"fr"}""", "\"7\""), TestContext.Current.CancellationToken))
        using (var current = await _api.Client.SendAsync(Post("""{"agent":"A"}""", "\"1\""), TestContext.Current.CancellationToken))
        {
            await Problem.AssertAsync(HttpStatusCode.PreconditionFailed, stale);
            Assert.Equal(HttpStatusCode.OK, current.StatusCode);
        }

        using var response = await GetAsync();
        var settings = JsonNode.Parse(await TextAsync(response))!;
        Assert.Equal(("de", "A"), ((string?)settings["language"], (string?)settings["agent"]));

        static HttpRequestMessage Post(string body, string ifMatch) => new(HttpMethod.Post, "/api/settings")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
            Headers = { { "If-Match", ifMatch } },
        };
    }

    [Fact]
    public async Task The_caller_reads_profile_memberships_and_preferences_in_one_answer()
    {
        using (await PostAsync("""{"language":"de","llm_api_key":"sk-canary"}"""))
        using (var response = await _api.Client.GetAsync(new Uri("/api/v1/users/me", UriKind.Relative), TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var body = await TextAsync(response);
            Assert.DoesNotContain("canary", body);
            var me = JsonNode.Parse(body)!;
            Assert.Equal("de", (string?)me["settings"]!["language"]);
            Assert.True((bool?)me["settings"]!["llm_api_key_set"]);
            var membership = Assert.Single(me["memberships"]!.AsArray())!;
            Assert.Equal(("admin", true), ((string?)membership["role"], (bool?)membership["is_active"]));
        }
    }

    [Fact]
    public async Task An_organization_s_settings_are_changed_by_merge_patch_and_never_show_the_key()
    {
        using var first = await _api.Client.GetAsync(new Uri("/api/v1/organizations", UriKind.Relative), TestContext.Current.CancellationToken);
        var path = $"/api/v1/organizations/{JsonNode.Parse(await TextAsync(first))!["items"]![0]!["id"]}/settings";
        using (var patched = await PatchAsync("""{"llm_model":"openai/gpt-5","llm_api_key":"sk-canary"}""", "\"0\""))
        using (var stale = await PatchAsync("""{"llm_model":"openai/gpt-6"}""", "\"0\""))
        using (var unknown = await PatchAsync("""{"language":"de"}""", "*"))
        {
            Assert.Equal("""{"llm_model":"openai/gpt-5","llm_base_url":null,"llm_api_key_set":true,"version":1}""", await TextAsync(patched));
            Assert.Equal("\"1\"", patched.Headers.ETag?.Tag);
            await Problem.AssertAsync(HttpStatusCode.PreconditionFailed, stale);
            await Problem.AssertAsync(HttpStatusCode.UnprocessableEntity, unknown);
        }

        using var response = await GetAsync();
        var settings = JsonNode.Parse(await TextAsync(response))!;
        Assert.Equal("openai/gpt-5", (string?)settings["llm_model"]);
        Assert.True((bool?)settings["llm_api_key_set"]);

        Task<HttpResponseMessage> PatchAsync(string body, string ifMatch) => _api.Client.SendAsync(
            new HttpRequestMessage(HttpMethod.Patch, path)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
                Headers = { { "If-Match", ifMatch } },
            },
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Who_never_chose_a_model_gets_the_configured_one()
    {
        await using var api = await StartAsync(Ring, "Llm:DefaultModel=acme/model-1");
        using (await PostAsync("{}", api))
        using (var response = await GetAsync(api))
            Assert.Equal("acme/model-1", (string?)JsonNode.Parse(await TextAsync(response))!["llm_model"]);
    }

    [Theory]
    [InlineData("""{"condenser_max_size":19}""", HttpStatusCode.UnprocessableEntity, "condenser_max_size must be a whole number, 20 or more")]
    [InlineData("""{"mcp_config":{"sse_servers":[{"url":"http://h","api_key":"**********"}]}}""", HttpStatusCode.UnprocessableEntity, "must be entered again")]
    [InlineData("""{"language":"\u0000"}""", HttpStatusCode.UnprocessableEntity, "NUL")]
    [InlineData("""{"language":"\ud800"}""", HttpStatusCode.UnprocessableEntity, "Unicode")]
    [InlineData("""{"\ud800":1}""", HttpStatusCode.BadRequest, "")]
    [InlineData("""{"language":"en","language":"de"}""", HttpStatusCode.BadRequest, "")]
    [InlineData("""{"mcp_config":{"sse_servers":[],"sse_servers":[]}}""", HttpStatusCode.BadRequest, "")]
    [InlineData("""{"language":""", HttpStatusCode.BadRequest, "JSON")]
    [InlineData("", HttpStatusCode.BadRequest, "JSON")]
    [InlineData("null", HttpStatusCode.BadRequest, "")]
    [InlineData("[]", HttpStatusCode.BadRequest, "")]
    [InlineData("\"text\"", HttpStatusCode.BadRequest, "")]
    [InlineData("7", HttpStatusCode.BadRequest, "")]
    public async Task A_bad_body_is_refused_with_a_reason_and_nothing_is_saved(string body, HttpStatusCode status, string reason)
    {
        using var response = await PostAsync(body);
        Assert.Contains(reason, await Problem.AssertAsync(status, response));
        await AssertNothingSavedAsync();
    }

    [Fact]
    public async Task Broken_utf8_is_refused()
    {
        using var response = await PostAsync([.. """{"language":" """u8.TrimEnd((byte)' '), 0xff, .. "\"}"u8]);
        await Problem.AssertAsync(HttpStatusCode.UnprocessableEntity, response);
        await AssertNothingSavedAsync();
    }

    [Fact]
    public async Task Deep_json_is_refused()
    {
        using var response = await PostAsync($"{{\"a\":{new string('[', 5000)}{new string(']', 5000)}}}");
        await Problem.AssertAsync(HttpStatusCode.BadRequest, response);
    }

    [Fact]
    public async Task A_huge_body_is_refused()
    {
        using var response = await PostAsync($"{{\"language\":\"{new string('x', 1024 * 1024)}\"}}");
        await Problem.AssertAsync(HttpStatusCode.RequestEntityTooLarge, response);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task Another_content_type_is_refused(string? contentType)
    {
        using var response = await PostAsync("{}"u8.ToArray(), contentType);
        await Problem.AssertAsync(HttpStatusCode.UnsupportedMediaType, response);
        await AssertNothingSavedAsync();
    }

    [Fact]
    public async Task A_wrong_key_ring_is_an_error_with_a_code_and_a_later_save_overwrites_nothing()
    {
        // A ring that lacks a key in use is refused at the start; here nobody knows of the key.
        using (await PostAsync("""{"llm_api_key":"sk-canary","language":"de"}"""))
            await _database.QueryAsync("DELETE FROM encryption_keys");
        await using (var misled = await StartAsync("another key ring, just as long as it"))
        {
            using var read = await GetAsync(misled);
            using var saved = await PostAsync("""{"llm_api_key":"sk-other","language":"fr"}""", misled);
            foreach (var answer in new[] { read, saved })
            {
                Assert.Contains("key ring does not fit", await Problem.AssertAsync(HttpStatusCode.InternalServerError, answer));
                Assert.Equal("key_ring_mismatch", (string?)JsonNode.Parse(await TextAsync(answer))!["code"]);
            }
        }

        using var response = await GetAsync();
        var settings = JsonNode.Parse(await TextAsync(response))!;
        Assert.Equal("de", (string?)settings["language"]);
        Assert.True((bool?)settings["llm_api_key_set"]);
    }

    [Fact]
    public async Task Before_the_migration_it_is_503_and_not_404()
    {
        var empty = await server.CreateEmptyAsync();
        await using var api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={empty.App}", $"ConnectionStrings:secrets={Ring}"]);
        using var read = await GetAsync(api);
        using var saved = await PostAsync("{}", api);
        await Problem.AssertAsync(HttpStatusCode.ServiceUnavailable, read);
        await Problem.AssertAsync(HttpStatusCode.ServiceUnavailable, saved);
    }

    private Task<ApiHost> StartAsync(string ring, params string[] settings) =>
        ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}", $"ConnectionStrings:secrets={ring}", .. settings]);

    private async Task AssertNothingSavedAsync()
    {
        using var response = await GetAsync();
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(["0"], await _database.QueryAsync("SELECT count(*) FROM user_settings"));
    }

    private Task<HttpResponseMessage> GetAsync(ApiHost? api = null) =>
        (api ?? _api).Client.GetAsync("/api/settings", TestContext.Current.CancellationToken);

    private Task<HttpResponseMessage> PostAsync(string body, ApiHost? api = null) => PostAsync(Encoding.UTF8.GetBytes(body), "application/json", api);

    private async Task<HttpResponseMessage> PostAsync(byte[] body, string? contentType = "application/json", ApiHost? api = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/settings") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        // Asked first, as a body that is refused by its length would otherwise meet a closed connection.
        request.Headers.ExpectContinue = body.Length > 1024 * 1024;
        return await (api ?? _api).Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
