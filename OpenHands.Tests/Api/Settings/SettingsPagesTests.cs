using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Tests.Application;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Settings;

/// <summary>The settings pages of the web front end: the calls that each makes, in its order and with its bodies, and what it needs to hear.</summary>
public sealed class SettingsPagesTests(DatabaseServer server) : IAsyncLifetime
{
    private ApiHost _api = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The local mode has one user, so every page has a database of its own.
    public async ValueTask InitializeAsync() =>
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={(await server.CreateMigratedAsync()).App}"]);

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task The_first_run_is_told_that_there_are_no_settings_and_saves_them()
    {
        await ConfigurationAsync();
        using (var none = await _api.Client.GetAsync(Address("/api/settings"), Token))
            Assert.Equal("Settings not found", await Problem.AssertAsync(HttpStatusCode.NotFound, none));
        await OptionsAsync();
        await SaveAsync(JsonNode.Parse(RecordedBodies.FirstRun)!.AsObject());
        var settings = await SettingsAsync();
        // The modal posts false; what is read stays true, or the page falls back to conversations of the former kind.
        Assert.True((bool?)settings["v1_enabled"]);
        Assert.Equal((true, false, (string?)null), ((bool?)settings["llm_api_key_set"], (bool?)settings["search_api_key_set"], (string?)settings["llm_api_key"]));
        Assert.False((bool?)settings["user_consents_to_analytics"]);
    }

    [Fact]
    public async Task The_LLM_page_saves_its_whole_form_and_keeps_the_key_that_nobody_typed()
    {
        var form = await PrologueAsync();
        await OptionsAsync();

        // Basic: what was read goes back with what the form adds, the key only if one was typed.
        await SaveAsync(Form(form, with => (with["llm_model"], with["llm_base_url"], with["search_api_key"], with["email"], with["is_new_user"]) =
            ("anthropic/claude-sonnet-4-5-20250929", "", "", "", false)));
        var basic = await SettingsAsync();
        Assert.Equal(("anthropic/claude-sonnet-4-5-20250929", true, null), ((string?)basic["llm_model"], (bool?)basic["llm_api_key_set"], (string?)basic["llm_base_url"]));

        // Advanced, with a new key.
        await SaveAsync(Form(basic, with => (with["llm_model"], with["llm_base_url"], with["llm_api_key"], with["search_api_key"], with["is_new_user"]) =
            ("openai/my-model", "http://127.0.0.1:9999/v1", "sk-new", "tvly-1", false)));
        var advanced = await SettingsAsync();
        Assert.Equal(("openai/my-model", "http://127.0.0.1:9999/v1", true), ((string?)advanced["llm_model"], (string?)advanced["llm_base_url"], (bool?)advanced["search_api_key_set"]));
        Assert.DoesNotContain("sk-new", advanced.ToJsonString(), StringComparison.Ordinal);
        SameBut(form, advanced, "llm_model", "llm_base_url", "search_api_key_set");
    }

    [Fact]
    public async Task The_MCP_page_saves_its_list_alone_and_nothing_else_changes()
    {
        var before = await PrologueAsync();
        await SaveAsync(JsonNode.Parse(RecordedBodies.McpOnly)!.AsObject());
        var added = await SettingsAsync();
        Assert.Equal("http://127.0.0.1:4000/sse", (string?)added["mcp_config"]!["sse_servers"]![0]!["url"]);
        Assert.DoesNotContain("mcp-test-456", added.ToJsonString(), StringComparison.Ordinal);
        SameBut(before, added, "mcp_config");

        // Every kind of entry that the forms make; what was read goes back with it.
        var list = added["mcp_config"]!.DeepClone().AsObject();
        list["stdio_servers"] = new JsonArray(new JsonObject { ["name"] = "files", ["command"] = "npx", ["args"] = new JsonArray("-y", "files"), ["env"] = new JsonObject { ["A"] = "b" } });
        list["shttp_servers"] = new JsonArray(new JsonObject { ["url"] = "https://mcp.example.com/mcp", ["api_key"] = null, ["timeout"] = 60 }, "https://plain.example.com/mcp");
        await SaveAsync(new JsonObject { ["mcp_config"] = list, ["v1_enabled"] = true });
        var edited = (await SettingsAsync())["mcp_config"]!;
        Assert.Equal((1, 1, 2), (edited["sse_servers"]!.AsArray().Count, edited["stdio_servers"]!.AsArray().Count, edited["shttp_servers"]!.AsArray().Count));

        // An edit of the address leaves the key on its host; at another host it must be typed again.
        await SaveAsync(Moved(edited, "http://127.0.0.1:4000/moved"));
        var moved = (await SettingsAsync())["mcp_config"]!;
        Assert.Equal("http://127.0.0.1:4000/moved", (string?)moved["sse_servers"]![0]!["url"]);
        Assert.Equal((string?)edited["sse_servers"]![0]!["api_key"], (string?)moved["sse_servers"]![0]!["api_key"]);
        foreach (var elsewhere in new[] { "http://127.0.0.1:4001/moved", "https://127.0.0.1:4000/moved", "http://127.0.0.2:4000/moved" })
        {
            using var refused = await PostAsync("/api/settings", Moved(moved, elsewhere).ToJsonString());
            Assert.Contains("entered again", await Problem.AssertAsync(HttpStatusCode.UnprocessableEntity, refused), StringComparison.Ordinal);
        }

        await SaveAsync(new JsonObject { ["mcp_config"] = JsonNode.Parse("""{"sse_servers":[],"stdio_servers":[],"shttp_servers":[]}"""), ["v1_enabled"] = true });
        Assert.Empty((await SettingsAsync())["mcp_config"]!["sse_servers"]!.AsArray());
    }

    [Fact]
    public async Task The_integrations_page_connects_a_provider_keeps_it_and_disconnects()
    {
        var before = await PrologueAsync();
        Assert.Empty(before["provider_tokens_set"]!.AsObject());
        foreach (var token in new[] { "ghp_test", "" }) // an untouched one is posted empty, and kept
        {
            using var saved = await PostAsync("/api/add-git-providers", $$$$"""
                {"provider_tokens":{"github":{"token":"{{{{token}}}}","host":""},"gitlab":{"token":"","host":""},"bitbucket":{"token":"","host":""},
                 "azure_devops":{"token":"","host":""},"forgejo":{"token":"","host":""}}}
                """);
            Assert.Equal((HttpStatusCode.OK, """{"message":"Git providers stored"}"""), (saved.StatusCode, await saved.Content.ReadAsStringAsync(Token)));
            var connected = Assert.Single((await SettingsAsync())["provider_tokens_set"]!.AsObject());
            Assert.Equal(("github", (string?)null), (connected.Key, (string?)connected.Value));
        }

        // No body and no content type.
        using (var disconnected = await _api.Client.PostAsync(Address("/api/unset-provider-tokens"), content: null, Token))
            Assert.Equal((HttpStatusCode.OK, """{"message":"Unset Git provider tokens"}"""), (disconnected.StatusCode, await disconnected.Content.ReadAsStringAsync(Token)));
        SameBut(before, await PrologueAsync(isFirst: false));
    }

    [Fact]
    public async Task The_application_page_saves_language_and_git_identity()
    {
        var before = await PrologueAsync();
        await SaveAsync(Form(before, with => (with["language"], with["git_user_name"], with["enable_proactive_conversation_starters"], with["enable_solvability_analysis"]) =
            ("es", "alice", false, false)));
        var saved = await SettingsAsync();
        Assert.Equal(("es", "alice", true), ((string?)saved["language"], (string?)saved["git_user_name"], (bool?)saved["llm_api_key_set"]));
        SameBut(before, saved, "language", "git_user_name", "enable_proactive_conversation_starters", "enable_solvability_analysis");
    }

    [Fact]
    public async Task The_secrets_page_lists_adds_renames_and_deletes()
    {
        var before = await PrologueAsync();
        await SecretsAsync("[]");
        using (var added = await PostAsync("/api/secrets", """{"name":"MY_TOKEN","value":"s3cret","description":"a token"}"""))
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        await SecretsAsync("""[{"name":"MY_TOKEN","description":"a token"}]""");
        using (var renamed = await _api.Client.PutAsJsonAsync("/api/secrets/MY_TOKEN", new { name = "MY_TOKEN2", description = "a token" }, Token))
            Assert.Equal(HttpStatusCode.OK, renamed.StatusCode);
        await SecretsAsync("""[{"name":"MY_TOKEN2","description":"a token"}]""");
        using (var deleted = await _api.Client.DeleteAsync(Address("/api/secrets/MY_TOKEN2"), Token))
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        await SecretsAsync("[]");
        SameBut(before, await SettingsAsync());
    }

    private static Uri Address(string path) => new(path, UriKind.Relative);

    // What was read, as the forms post it: null keys do not come back, the rest does.
    private static JsonObject Form(JsonObject read, Action<JsonObject> change)
    {
        var form = read.DeepClone().AsObject();
        form.Remove("llm_api_key");
        change(form);
        return form;
    }

    private static JsonObject Moved(JsonNode servers, string address)
    {
        var list = servers.DeepClone();
        (list["sse_servers"]![0]!["url"], list["sse_servers"]![0]!["api_key"]) = (address, "**********");
        return new JsonObject { ["mcp_config"] = list, ["v1_enabled"] = true };
    }

    private static void SameBut(JsonObject before, JsonObject after, params string[] changed)
    {
        var (one, other) = (before.DeepClone().AsObject(), after.DeepClone().AsObject());
        foreach (var name in changed)
            Assert.True(one.Remove(name) & other.Remove(name), name);
        Assert.True(JsonNode.DeepEquals(one, other), $"{one}\nbecame\n{other}");
    }

    // Every page begins so, for somebody who has been here before.
    private async Task<JsonObject> PrologueAsync(bool isFirst = true)
    {
        if (isFirst)
            await SaveAsync(JsonNode.Parse(RecordedBodies.FirstRun)!.AsObject());
        await ConfigurationAsync();
        await ConfigurationAsync(); // it asks twice
        return await SettingsAsync();
    }

    private async Task ConfigurationAsync()
    {
        var configuration = (await _api.Client.GetFromJsonAsync<JsonObject>("/api/v1/web-client/config", Token))!;
        Assert.Equal(("oss", (string?)null), ((string?)configuration["app_mode"], (string?)configuration["posthog_client_key"]));
        Assert.False((bool?)configuration["feature_flags"]!["hide_llm_settings"]);
    }

    private async Task OptionsAsync()
    {
        foreach (var (list, has) in new[] { ("models", "anthropic/claude-sonnet-4-5-20250929"), ("agents", "CodeActAgent"), ("security-analyzers", "llm") })
            Assert.Contains(has, (await _api.Client.GetFromJsonAsync<string[]>($"/api/options/{list}", Token))!);
    }

    private async Task<JsonObject> SettingsAsync()
    {
        var settings = (await _api.Client.GetFromJsonAsync<JsonObject>("/api/settings", Token))!;
        Assert.IsType<JsonObject>(settings["provider_tokens_set"]); // the page breaks without
        foreach (var key in new[] { "llm_api_key", "search_api_key", "sandbox_api_key" })
            Assert.Null(settings[key]);
        return settings;
    }

    private async Task SaveAsync(JsonObject body)
    {
        using var saved = await PostAsync("/api/settings", body.ToJsonString());
        Assert.True(saved.StatusCode == HttpStatusCode.OK, await saved.Content.ReadAsStringAsync(Token));
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body) =>
        _api.Client.PostAsync(Address(path), new StringContent(body, Encoding.UTF8, "application/json"), Token);

    private async Task SecretsAsync(string expected)
    {
        var listed = (await _api.Client.GetFromJsonAsync<JsonObject>("/api/secrets", Token))!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), listed["custom_secrets"]), listed.ToJsonString());
    }
}
