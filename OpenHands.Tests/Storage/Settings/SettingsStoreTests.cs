using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHands.Storage;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Settings;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Settings;

public sealed class SettingsStoreTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private const string Ring = "a key ring of the tests, long enough";

    // As the first-run dialog of the front end posts it.
    private const string FirstRun =
        """
        {"llm_model":"openhands/claude-opus-4-5-20251101","agent":"CodeActAgent","language":"en","llm_api_key":"sk-test-123",
        "llm_api_key_set":true,"search_api_key_set":false,"confirmation_mode":false,"remote_runtime_resource_factor":1,
        "provider_tokens_set":{},"enable_default_condenser":true,"condenser_max_size":240,"enable_sound_notifications":false,
        "user_consents_to_analytics":false,"enable_proactive_conversation_starters":false,"enable_solvability_analysis":false,
        "search_api_key":"","is_new_user":true,"max_budget_per_task":null,"email":"","email_verified":true,
        "mcp_config":{"sse_servers":[],"stdio_servers":[],"shttp_servers":[]},"git_user_name":"openhands",
        "git_user_email":"openhands@all-hands.dev","v1_enabled":false}
        """;

    private readonly string _user = EntityId.New(TimeProvider.System);

    [Fact]
    public async Task Nothing_is_found_before_anything_was_saved() => Assert.Null(await FindAsync());

    [Fact]
    public async Task A_first_save_of_nothing_makes_settings_of_defaults()
    {
        await SaveAsync("{}");
        var saved = await ReadAsync();
        Assert.Equal(1, saved.Version);
        Assert.False(saved.HasLlmApiKey);
        AssertJson(
            """
            {"language":null,"agent":null,"max_iterations":null,"security_analyzer":null,"confirmation_mode":null,"llm_model":null,
            "llm_base_url":null,"user_version":null,"remote_runtime_resource_factor":null,"enable_default_condenser":true,
            "enable_sound_notifications":false,"enable_proactive_conversation_starters":true,"enable_solvability_analysis":true,
            "user_consents_to_analytics":null,"sandbox_base_container_image":null,"sandbox_runtime_container_image":null,
            "max_budget_per_task":null,"condenser_max_size":null,"git_user_name":null,"git_user_email":null,"mcp_config":null}
            """, saved.Values);
    }

    [Fact]
    public async Task The_first_run_dialog_is_kept_without_showing_the_key()
    {
        await SaveAsync(FirstRun);
        var saved = await ReadAsync();
        Assert.True(saved.HasLlmApiKey);
        Assert.False(saved.HasSearchApiKey);
        Assert.Null(saved.Email);
        Assert.Equal("openhands/claude-opus-4-5-20251101", (string?)saved.Values["llm_model"]);
        Assert.Equal(240, (int?)saved.Values["condenser_max_size"]);
        Assert.False((bool?)saved.Values["enable_solvability_analysis"]);
        Assert.DoesNotContain("sk-test-123", saved.ToString());
    }

    [Fact]
    public async Task Saving_only_tool_servers_changes_nothing_else()
    {
        await SaveAsync(FirstRun);
        var before = (await ReadAsync()).Values;
        await SaveAsync("""{"mcp_config":{"sse_servers":[{"url":"http://127.0.0.1:4000/sse"}],"stdio_servers":[],"shttp_servers":[]},"v1_enabled":true}""");

        var saved = await ReadAsync();
        AssertJson("""{"sse_servers":[{"url":"http://127.0.0.1:4000/sse","api_key":null}],"stdio_servers":[],"shttp_servers":[]}""", saved.Values["mcp_config"]);
        Assert.True(saved.HasLlmApiKey);
        before.Remove("mcp_config");
        saved.Values.Remove("mcp_config");
        AssertJson(before.ToJsonString(), saved.Values);
    }

    [Fact]
    public async Task Posting_the_shown_settings_back_changes_nothing_and_writes_nothing()
    {
        await SaveAsync("""{"llm_model":"m","llm_api_key":"sk","mcp_config":{"shttp_servers":[{"url":"https://h","api_key":"k"}],"stdio_servers":[{"name":"n","command":"c","env":{"T":"v"}}]}}""");
        var shown = await ReadAsync();
        shown.Values["llm_api_key"] = null;
        shown.Values["search_api_key"] = "";
        shown.Values["sandbox_api_key"] = null;
        shown.Values["llm_base_url"] = "";
        await SaveAsync(shown.Values.ToJsonString());

        Assert.Equal(1, (await ReadAsync()).Version);
        Assert.Equal("k", await KeyAsync("mcp_config", "shttp_servers"));
        Assert.Equal("v", await KeyAsync("mcp_config", "stdio_servers"));
    }

    [Theory]
    [InlineData("llm_api_key", "{}", "sk-old")]
    [InlineData("llm_api_key", """{"llm_api_key":null}""", "sk-old")]
    [InlineData("llm_api_key", """{"llm_api_key":"**********"}""", "sk-old")]
    [InlineData("llm_api_key", """{"llm_api_key":""}""", null)]
    [InlineData("llm_api_key", """{"llm_api_key":"  sk-new "}""", "sk-new")]
    [InlineData("search_api_key", "{}", "sk-old")]
    [InlineData("search_api_key", """{"search_api_key":null}""", "sk-old")]
    [InlineData("search_api_key", """{"search_api_key":""}""", "sk-old")]
    [InlineData("search_api_key", """{"search_api_key":"sk-new"}""", "sk-new")]
    [InlineData("sandbox_api_key", """{"sandbox_api_key":null}""", "sk-old")]
    [InlineData("sandbox_api_key", """{"sandbox_api_key":""}""", null)]
    [InlineData("sandbox_api_key", """{"sandbox_api_key":"sk-new"}""", "sk-new")]
    public async Task A_key_is_kept_cleared_or_replaced(string field, string posted, string? expected)
    {
        await SaveAsync($$"""{"{{field}}":"sk-old"}""");
        await SaveAsync(posted);
        Assert.Equal(expected, await SecretAsync(field));
    }

    [Theory]
    [InlineData("llm_model", "\"m1\"", "null", "\"m1\"")]
    [InlineData("llm_model", "\"m1\"", "\"m2\"", "\"m2\"")]
    [InlineData("llm_base_url", "\"https://one\"", "\"\"", "null")]
    [InlineData("llm_base_url", "\"https://one\"", "null", "null")]
    [InlineData("llm_base_url", "\"https://one\"", "\"https://two\"", "\"https://two\"")]
    [InlineData("user_consents_to_analytics", "true", "null", "true")]
    [InlineData("user_consents_to_analytics", "true", "false", "false")]
    [InlineData("language", "\"de\"", "null", "null")]
    [InlineData("language", "\"de\"", "\"\"", "\"\"")]
    [InlineData("enable_default_condenser", "false", "null", "true")]
    [InlineData("max_budget_per_task", "2.5", "0", "0")]
    [InlineData("max_budget_per_task", "2.5", "null", "null")]
    [InlineData("condenser_max_size", "240", "20", "20")]
    [InlineData("mcp_config", "{}", "null", "null")]
    public async Task A_field_is_kept_or_replaced(string field, string first, string second, string expected)
    {
        await SaveAsync($$"""{"{{field}}":{{first}}}""");
        await SaveAsync("""{"agent":"Other"}""");
        AssertJson(first == "{}" ? """{"sse_servers":[],"stdio_servers":[],"shttp_servers":[]}""" : first, (await ReadAsync()).Values[field]);
        await SaveAsync($$"""{"{{field}}":{{second}}}""");
        AssertJson(expected, (await ReadAsync()).Values[field]);
    }

    [Fact]
    public async Task Fields_of_identity_and_computed_fields_are_ignored()
    {
        await SaveAsync("""{"email":"victim@example.org","git_user_name":"openhands","id":"x","secrets_store":{"provider_tokens":{"github":"t"}},"llm_api_key_set":true,"unknown":{"a":[1]}}""");
        Assert.False((await ReadAsync()).HasLlmApiKey);
        Assert.Equal(["|"], await fixture.Database.QueryAsync($"SELECT email, display_name FROM users WHERE id = '{_user}'"));
        Assert.Equal(["""{"git_user_name": "openhands"}"""], await fixture.Database.QueryAsync($"SELECT document FROM user_settings WHERE user_id = '{_user}'"));
    }

    [Theory]
    [InlineData("""{"llm_model":5}""", "llm_model")]
    [InlineData("""{"llm_model":" "}""", "llm_model")]
    [InlineData("""{"language":{}}""", "language")]
    [InlineData("""{"language":"a\nb"}""", "language")]
    [InlineData("""{"language":"a\u0000b"}""", "settings")]
    [InlineData("""{"language":"\ud800"}""", "settings")]
    [InlineData("""{"confirmation_mode":"true"}""", "confirmation_mode")]
    [InlineData("""{"enable_default_condenser":1}""", "enable_default_condenser")]
    [InlineData("""{"max_iterations":1.5}""", "max_iterations")]
    [InlineData("""{"max_iterations":99999999999}""", "max_iterations")]
    [InlineData("""{"condenser_max_size":19}""", "condenser_max_size")]
    [InlineData("""{"max_budget_per_task":-0.01}""", "max_budget_per_task")]
    [InlineData("""{"max_budget_per_task":1e999}""", "max_budget_per_task")]
    [InlineData("""{"llm_api_key":7}""", "llm_api_key")]
    [InlineData("""{"llm_api_key":"sk-line\nsk-line"}""", "llm_api_key")]
    [InlineData("""{"mcp_config":[]}""", "mcp_config")]
    [InlineData("""{"mcp_config":{"servers":[]}}""", "mcp_config")]
    [InlineData("""{"mcp_config":{"sse_servers":{}}}""", "mcp_config.sse_servers")]
    [InlineData("""{"mcp_config":{"sse_servers":[7]}}""", "mcp_config.sse_servers[0].url")]
    [InlineData("""{"mcp_config":{"sse_servers":[null]}}""", "mcp_config.sse_servers[0]")]
    [InlineData("""{"mcp_config":{"sse_servers":["ftp://h/x"]}}""", "mcp_config.sse_servers[0].url")]
    [InlineData("""{"mcp_config":{"sse_servers":["http:///x"]}}""", "mcp_config.sse_servers[0].url")]
    [InlineData("""{"mcp_config":{"sse_servers":[{"url":"http://h","timeout":5}]}}""", "mcp_config.sse_servers[0]")]
    [InlineData("""{"mcp_config":{"shttp_servers":[{"url":"http://h","timeout":0}]}}""", "mcp_config.shttp_servers[0].timeout")]
    [InlineData("""{"mcp_config":{"shttp_servers":[{"url":"http://h","timeout":3601}]}}""", "mcp_config.shttp_servers[0].timeout")]
    [InlineData("""{"mcp_config":{"stdio_servers":[{"name":"a b","command":"c"}]}}""", "mcp_config.stdio_servers[0].name")]
    [InlineData("""{"mcp_config":{"stdio_servers":[{"name":"a","command":"c d"}]}}""", "mcp_config.stdio_servers[0].command")]
    [InlineData("""{"mcp_config":{"stdio_servers":[{"name":"a","command":"c"},{"name":"a","command":"c"}]}}""", "mcp_config.stdio_servers")]
    [InlineData("""{"mcp_config":{"stdio_servers":[{"name":"a","command":"c","args":[1]}]}}""", "mcp_config.stdio_servers[0].args[0]")]
    [InlineData("""{"mcp_config":{"stdio_servers":[{"name":"a","command":"c","env":{"A":1}}]}}""", "every value of mcp_config.stdio_servers[0].env")]
    [InlineData("""{"mcp_config":{"sse_servers":[{"url":"http://h","api_key":"**********"}]}}""", "mcp_config.sse_servers[0].api_key")]
    public async Task What_is_wrong_is_named_and_nothing_is_saved(string posted, string field)
    {
        var problem = await MergeAsync(posted);
        Assert.Equal(field, problem?.Field);
        Assert.DoesNotContain("sk-line", problem?.Message);
        Assert.Null(await FindAsync());
    }

    [Fact]
    public async Task Masked_keys_of_tool_servers_keep_the_stored_ones()
    {
        await SaveAsync(
            """
            {"mcp_config":{"sse_servers":[{"url":"http://a","api_key":"ka"},"http://b"],"shttp_servers":[{"url":"http://a","api_key":"kh","timeout":5}],
            "stdio_servers":[{"name":"n","command":"c","args":["-x"],"env":{"A":"va","B":"vb"}}]}}
            """);
        var shown = (await ReadAsync()).Values["mcp_config"]!.AsObject();
        AssertJson(
            """
            {"sse_servers":[{"url":"http://a","api_key":"**********"},{"url":"http://b","api_key":null}],
            "stdio_servers":[{"name":"n","command":"c","args":["-x"],"env":{"A":"**********","B":"**********"}}],
            "shttp_servers":[{"url":"http://a","api_key":"**********","timeout":5}]}
            """, shown);

        shown["sse_servers"]!.AsArray().Insert(0, "http://new");
        shown["stdio_servers"]![0]!["env"]!["B"] = "vb2";
        await SaveAsync(new JsonObject { ["mcp_config"] = shown.DeepClone() }.ToJsonString());

        AssertJson(
            """
            {"sse_servers":[{"url":"http://new","api_key":null},{"url":"http://a","api_key":"ka"},{"url":"http://b","api_key":null}],
            "stdio_servers":[{"name":"n","command":"c","args":["-x"],"env":{"A":"va","B":"vb2"}}],
            "shttp_servers":[{"url":"http://a","api_key":"kh","timeout":5}]}
            """, JsonNode.Parse((await SecretAsync("mcp_config"))!));
    }

    [Fact]
    public async Task A_mask_does_not_carry_a_key_to_another_address()
    {
        await SaveAsync("""{"mcp_config":{"sse_servers":[{"url":"http://mine","api_key":"k"}]}}""");
        var problem = await MergeAsync("""{"mcp_config":{"sse_servers":[{"url":"http://evil","api_key":"**********"}]}}""");
        Assert.Equal("mcp_config.sse_servers[0].api_key", problem?.Field);
        Assert.Equal("k", await KeyAsync("mcp_config", "sse_servers"));
    }

    [Fact]
    public async Task Masks_of_one_address_listed_twice_keep_their_own_keys_or_ask_again()
    {
        const string Masked = """{"url":"http://a","api_key":"**********"}""";
        await SaveAsync("""{"mcp_config":{"sse_servers":[{"url":"http://a","api_key":"k1"},{"url":"http://a","api_key":"k2"}]}}""");
        await SaveAsync($$$"""{"mcp_config":{"sse_servers":["http://b",{{{Masked}}},{{{Masked}}}]}}""");
        AssertJson("""["http://b null","http://a k1","http://a k2"]""", new JsonArray(
            [.. JsonNode.Parse((await SecretAsync("mcp_config"))!)!["sse_servers"]!.AsArray().Select(server => JsonValue.Create($"{server!["url"]} {server["api_key"]?.ToString() ?? "null"}"))]));

        var problem = await MergeAsync($$$"""{"mcp_config":{"sse_servers":[{{{Masked}}}]}}""");
        Assert.Contains("entered again", problem?.Message);
    }

    [Fact]
    public async Task No_posted_key_stands_in_clear_in_any_column()
    {
        await SaveAsync(
            """
            {"llm_api_key":"canary-1","search_api_key":"canary-2","sandbox_api_key":"canary-3","mcp_config":{
            "sse_servers":[{"url":"http://a","api_key":"canary-4"}],"shttp_servers":[{"url":"http://a/canary-5?token=canary-6","api_key":"canary-7"}],
            "stdio_servers":[{"name":"n","command":"c","args":["canary-8"],"env":{"A":"canary-9"}}]}}
            """);
        var rows = await fixture.Database.QueryAsync($"SELECT s::text, u::text FROM user_settings s JOIN users u ON u.id = s.user_id WHERE user_id = '{_user}'");
        Assert.Single(rows);
        Assert.Contains("llm_api_key", rows[0]);
        Assert.DoesNotContain("canary", rows[0]);
        Assert.Equal(["llm_api_key,mcp_config,sandbox_api_key,search_api_key"], await fixture.Database.QueryAsync(
            $"SELECT string_agg(name, ',' ORDER BY name) FROM user_settings, jsonb_object_keys(secrets) name WHERE user_id = '{_user}'"));
        Assert.Equal(["{}"], await fixture.Database.QueryAsync($"SELECT document FROM user_settings WHERE user_id = '{_user}'"));
    }

    [Fact]
    public async Task Under_another_key_ring_reading_and_saving_fail_and_nothing_is_lost()
    {
        await SaveAsync("""{"llm_api_key":"sk-kept","language":"de"}""");
        const string OtherRing = "another key ring, just as long as it";

        await Assert.ThrowsAsync<KeyRingMismatchException>(() => WithStoreAsync(store => store.FindAsync(_user, Token), OtherRing));
        await Assert.ThrowsAsync<KeyRingMismatchException>(() => WithStoreAsync(store => store.MergeAsync(_user, new SettingsPost(new JsonObject { ["language"] = "fr" }), Token), OtherRing));
        await Assert.ThrowsAsync<KeyRingMismatchException>(() => WithStoreAsync(store => store.MergeAsync(_user, new SettingsPost(new JsonObject { ["llm_api_key"] = "sk" }), Token), OtherRing));

        Assert.Equal("de", (string?)(await ReadAsync()).Values["language"]);
        Assert.Equal("sk-kept", await SecretAsync("llm_api_key"));
    }

    [Theory]
    [InlineData("secrets = jsonb_build_object('search_api_key', secrets->'llm_api_key')")]
    [InlineData("version = version + 1")]
    public async Task A_ciphertext_moved_in_the_table_is_refused(string tampering)
    {
        await SaveAsync("""{"llm_api_key":"sk"}""");
        await fixture.Database.QueryAsync($"UPDATE user_settings SET {tampering} WHERE user_id = '{_user}'");
        await Assert.ThrowsAsync<SecretRefusedException>(FindAsync);
    }

    [Fact]
    public async Task Of_first_saves_that_race_one_makes_the_row_and_none_is_lost()
    {
        await Task.WhenAll(SettingsFieldNames().Select(name => Task.Run(() => SaveAsync($$"""{"{{name}}":"v"}"""))));
        var saved = await ReadAsync();
        Assert.All(SettingsFieldNames(), name => Assert.Equal("v", (string?)saved.Values[name]));
        Assert.Equal(SettingsFieldNames().Length, saved.Version);
    }

    [Fact]
    public async Task Parallel_saves_of_different_fields_and_keys_lose_nothing()
    {
        await SaveAsync("{}");
        string[] keys = ["llm_api_key", "search_api_key", "sandbox_api_key"];
        await Task.WhenAll(SettingsFieldNames().Concat(keys).Select(name => Task.Run(() => SaveAsync($$"""{"{{name}}":"v"}"""))));

        var saved = await ReadAsync();
        Assert.All(SettingsFieldNames(), name => Assert.Equal("v", (string?)saved.Values[name]));
        foreach (var key in keys)
            Assert.Equal("v", await SecretAsync(key));
    }

    [Fact]
    public async Task One_store_may_save_twice()
    {
        await WithStoreAsync(async store =>
        {
            Assert.Null(await store.MergeAsync(_user, new SettingsPost(new JsonObject { ["language"] = "de" }), Token));
            Assert.Null(await store.MergeAsync(_user, new SettingsPost(new JsonObject { ["agent"] = "A" }), Token));
            return 0;
        });
        Assert.Equal("de", (string?)(await ReadAsync()).Values["language"]);
    }

    [Fact]
    public async Task A_column_that_the_next_release_adds_does_not_disturb_this_one()
    {
        // Often enough for the statements to be prepared.
        for (var i = 0; i < 8; i++)
            await SaveAsync($$"""{"max_iterations":{{i}}}""");
        await fixture.Database.QueryAsync("ALTER TABLE user_settings ADD COLUMN IF NOT EXISTS later text");
        await SaveAsync("""{"max_iterations":100}""");
        Assert.Equal(100, (int?)(await ReadAsync()).Values["max_iterations"]);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string[] SettingsFieldNames() =>
        ["language", "agent", "security_analyzer", "llm_model", "llm_base_url", "git_user_name", "git_user_email", "sandbox_base_container_image"];

    private static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual?.ToJsonString() ?? "null")), $"{actual?.ToJsonString() ?? "null"}, expected {expected}");

    private async Task SaveAsync(string posted) => Assert.Null(await MergeAsync(posted));

    private async Task<FieldProblem?> MergeAsync(string posted) =>
        (await WithStoreAsync(store => store.MergeAsync(_user, new SettingsPost(JsonNode.Parse(posted)!.AsObject()), Token)))?.Field;

    private Task<SavedSettings?> FindAsync() => WithStoreAsync(store => store.FindAsync(_user, Token));

    private async Task<SavedSettings> ReadAsync() => Assert.IsType<SavedSettings>(await FindAsync());

    /// <summary>What is stored encrypted under a name, read as an agent would have to.</summary>
    private async Task<string?> SecretAsync(string name)
    {
        await using var db = fixture.Database.Open(_user);
        var row = db.UserSettings.Single(settings => settings.UserId == _user);
        using var secrets = SettingsSecrets.Open(new SecretCipher(new KeyRing(Ring)), row);
        return secrets.Find(name) is { } value ? global::System.Text.Encoding.UTF8.GetString(value) : null;
    }

    /// <summary>The only key, or the only variable, of the first server of a list.</summary>
    private async Task<string?> KeyAsync(string name, string list)
    {
        using var json = JsonDocument.Parse((await SecretAsync(name))!);
        var server = json.RootElement.GetProperty(list)[0];
        return server.TryGetProperty("api_key", out var key) ? key.GetString() : server.GetProperty("env").EnumerateObject().Single().Value.GetString();
    }

    private async Task<T> WithStoreAsync<T>(Func<SettingsStore, Task<T>> act, string ring = Ring)
    {
        await using var db = fixture.Database.Open(_user);
        return await act(new SettingsStore(db, new SecretCipher(new KeyRing(ring)), fixture.Database.Audit, TimeProvider.System));
    }
}
