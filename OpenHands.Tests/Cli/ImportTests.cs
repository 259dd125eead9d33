using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Cli;

/// <summary>The file store of a single-user OpenHands comes over.</summary>
public sealed class ImportTests(DatabaseServer server)
{
    private const string LocalUser = "0198c0de000070008000000000000001";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Settings_secrets_tokens_and_conversations_are_taken_once_and_what_cannot_be_is_named()
    {
        using var folder = new TestFolder();
        var store = folder["store"];
        Directory.CreateDirectory(Path.Combine(store, "sessions", "abc"));
        await File.WriteAllTextAsync(
            Path.Combine(store, "settings.json"),
            """{"language":"de","llm_model":"anthropic/claude","llm_api_key":"sk-from-file","search_api_key":"**********","condenser_max_size":3,"secrets_store":{"provider_tokens":{}},"unheard_of":1,"agent":null}""", Token);
        await File.WriteAllTextAsync(
            Path.Combine(store, "secrets.json"),
            """{"custom_secrets":{"DEPLOY":{"secret":"d1","description":"for deploys"},"BAD NAME":{"secret":"x"}},"provider_tokens":{"github":{"token":"ghp_x","host":null,"user_id":null},"sourceforge":{"token":"y"}}}""", Token);
        await File.WriteAllTextAsync(Path.Combine(store, "sessions", "abc", "metadata.json"), """{"conversation_id":"abc","title":"First","selected_repository":"a/b"}""", Token);

        var database = await server.CreateMigratedAsync();
        var cli = new CliInstallation(database, CliInstallation.KeyRing);
        var dry = await cli.RunAsync("import-openhands", "--from", store, "--dry-run", "--json");
        Assert.Equal(["0"], await database.QueryAsync("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM secrets)"));
        var wet = await cli.RunAsync("import-openhands", "--from", store, "--json");
        Assert.Equal((1, 1), (dry.Code, wet.Code)); // something was refused
        Assert.Equal(JsonNode.Parse(dry.Output)!["lines"]!.ToJsonString(), JsonNode.Parse(wet.Output)!["lines"]!.ToJsonString());
        Assert.DoesNotContain("sk-from-file", wet.Output);

        var report = JsonNode.Parse(wet.Output)!["lines"]!.AsArray().ToDictionary(line => $"{line!["kind"]} {line["name"]}", line => (string)line!["result"]!);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["setting language"] = "taken",
                ["setting llm_model"] = "taken",
                ["setting llm_api_key"] = "taken",
                ["setting search_api_key"] = "refused",
                ["setting condenser_max_size"] = "refused",
                ["setting unheard_of"] = "kept",
                ["secret DEPLOY"] = "taken",
                ["secret BAD NAME"] = "refused",
                ["provider token github"] = "taken",
                ["provider token sourceforge"] = "refused",
                ["conversation abc"] = "taken",
            },
            report);
        Assert.Equal(["de|anthropic/claude"], await database.QueryAsync("SELECT document->>'language', document->>'llm_model' FROM user_settings"));
        Assert.Equal(["DEPLOY|for deploys", "github|"], await database.QueryAsync("SELECT key, description FROM secrets ORDER BY key"));
        Assert.Equal(["abc|First"], await database.QueryAsync("SELECT conversation_id, state->>'title' FROM sessions"));
        await using var db = database.Open(LocalUser);
        await using var caches = new Caches(database);
        var secrets = new SecretStore(db, new SecretCipher(new KeyRing(CliInstallation.KeyRing), new TenantKeys(writes: true, TimeProvider.System)), caches.Secrets, database.Audit, TimeProvider.System);
        Assert.Equal("d1", Encoding.UTF8.GetString((await secrets.FindValueAsync(LocalUser, null, "DEPLOY", Token))!));

        var again = JsonNode.Parse((await cli.RunAsync("import-openhands", "--from", store, "--json")).Output)!["lines"]!.AsArray().ToDictionary(line => $"{line!["kind"]} {line["name"]}", line => (string)line!["result"]!);
        Assert.Equal(("kept", "kept", "kept"), (again["secret DEPLOY"], again["provider token github"], again["conversation abc"]));
        Assert.Equal(["1"], await database.QueryAsync("SELECT count(*) FROM sessions"));
    }
}
