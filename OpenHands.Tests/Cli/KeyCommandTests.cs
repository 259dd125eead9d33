using System.Text.Json.Nodes;
using OpenHands.Storage.ApiKeys;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Cli;

/// <summary>API keys from the command line.</summary>
public sealed class KeyCommandTests(DatabaseServer server)
{
    [Fact]
    public async Task The_first_key_of_a_fresh_installation_makes_a_user_who_rules_an_organization()
    {
        var database = await server.CreateMigratedAsync();
        var cli = new CliInstallation(database, CliInstallation.KeyRing);
        var made = JsonNode.Parse(await cli.DoAsync("keys", "create", "--json", "--name", "first"))!;

        Assert.True(ApiKeyText.IsOne((string)made["key"]!));
        Assert.Equal(["admin"], await database.QueryAsync($"SELECT role FROM organization_memberships WHERE organization_id = '{made["organization_id"]}' AND user_id = '{made["user_id"]}'"));
        Assert.Contains((string)made["id"]!, await cli.DoAsync("keys", "list"));
        Assert.DoesNotContain((string)made["key"]!, await cli.DoAsync("keys", "list"));

        await cli.DoAsync("keys", "create", "--scopes", "sessions:read"); // the only user
        await database.SignInAsync();
        Assert.Contains("--user", (await cli.RunAsync("keys", "create")).Error);

        await cli.DoAsync("keys", "revoke", (string)made["id"]!);
        Assert.Equal(1, (await cli.RunAsync("keys", "revoke", (string)made["id"]!)).Code);
        Assert.Equal(["api_key.created", "api_key.created", "api_key.revoked"], await database.QueryAsync("SELECT action FROM audit_events WHERE action LIKE 'api_key.%' ORDER BY occurred_at"));
    }

    [Theory]
    [InlineData(2, "keys", "creat")]
    [InlineData(2, "keys", "revoke")]
    [InlineData(2, "tenant", "export", "--organization", "x")]
    [InlineData(1, "keys", "create", "--scopes", "everything")]
    [InlineData(1, "tenant", "erase", "--organization", "x", "--user", "y", "--yes")]
    [InlineData(1, "tenant", "erase", "--organization", "0198c0de000070008000000000000001")]
    [InlineData(1, "tenant", "erase", "--organization", "0198c0de000070008000000000000001", "--yes")]
    [InlineData(1, "backup", "/proc/nowhere/set")]
    [InlineData(1, "restore", "/nowhere")]
    [InlineData(1, "import-openhands", "--from", "/nowhere")]
    [InlineData(1, "audit", "verify", "--file", "/nowhere")]
    [InlineData(1, "doctor", "--app-data", "/nowhere")]
    public async Task What_cannot_be_done_ends_with_a_code_and_says_why(int code, params string[] args)
    {
        var run = await new CliInstallation(await server.CreateMigratedAsync(), CliInstallation.KeyRing).RunAsync(args);
        Assert.True(run.Code == code, $"{run.Code}\n{run.Output}\n{run.Error}");
        Assert.NotEqual("", run.Error + run.Output);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData()]
    [InlineData("rotate")]
    [InlineData("audit")]
    [InlineData("keys", "create")]
    [InlineData("tenant", "erase")]
    [InlineData("restore")]
    public async Task Every_verb_explains_itself(params string[] verb)
    {
        var run = await new CliInstallation(await server.CreateMigratedAsync(), CliInstallation.KeyRing).RunAsync([.. verb, "--help"]);
        Assert.Equal(0, run.Code);
        Assert.Contains("Usage:", run.Output);
    }
}
