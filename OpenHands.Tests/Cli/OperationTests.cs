using System.IO.Compression;
using System.Text.Json.Nodes;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Cli;

/// <summary>Verification, diagnosis and rotation from the command line.</summary>
public sealed class OperationTests(DatabaseServer server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_audit_log_is_verified_here_and_far_away_and_tampering_is_an_exit_code()
    {
        using var folder = new TestFolder();
        var database = await server.CreateMigratedAsync();
        await database.SignInAsync();
        var cli = new CliInstallation(database, CliInstallation.KeyRing);
        await SealAsync(database);
        var verified = JsonNode.Parse(await cli.DoAsync("audit", "verify", "--json"))!;
        Assert.Equal(0, (int)verified["unsealed_count"]!);

        Directory.CreateDirectory(folder["files"]);
        var (file, pem) = (Path.Combine(folder["files"], "audit.jsonl"), Path.Combine(folder["files"], "key.pem"));
        await cli.DoAsync("audit", "export", "--output", file);
        await File.WriteAllTextAsync(pem, await cli.DoAsync("audit", "public-key"), Token);
        await cli.DoAsync("audit", "verify", "--file", file, "--public-key", pem, "--head", (string)verified["head"]!);

        await database.QueryAsync("UPDATE audit_events SET actor = 'x' WHERE position = 2");
        var found = await cli.RunAsync("audit", "verify");
        Assert.Equal(1, found.Code);
        Assert.Contains("Edited", found.Output);
    }

    [Fact]
    public async Task The_doctor_finds_what_is_wrong_and_the_bundle_holds_no_secret()
    {
        using var folder = new TestFolder();
        var database = await server.CreateMigratedAsync();
        var cli = new CliInstallation(database, CliInstallation.KeyRing);
        var healthy = JsonNode.Parse(await cli.DoAsync("doctor", "--json"))!.AsArray();
        Assert.DoesNotContain(healthy, check => (string)check!["state"]! == "failed");
        Assert.Superset(
            new HashSet<string> { "clock", "disk", "version", "postgres", "schema", "key ring", "rotation", "connections", "row-level security", "roles", "audit", "redis" },
            healthy.Select(check => (string)check!["name"]!).ToHashSet());

        await database.QueryAsync($"INSERT INTO encryption_keys VALUES ('0123456789abcdef', now()); ALTER TABLE secrets NO FORCE ROW LEVEL SECURITY");
        var ill = await cli.RunAsync("doctor", "--json");
        Assert.Equal(1, ill.Code);
        Assert.Equal(["key ring", "row-level security"], JsonNode.Parse(ill.Output)!.AsArray().Where(check => (string)check!["state"]! == "failed").Select(check => (string)check!["name"]!));

        await cli.DoAsync("support-bundle", folder["bundle"]);
        await using var zip = await ZipFile.OpenReadAsync(folder["bundle"], Token);
        foreach (var entry in zip.Entries)
        {
            using var reader = new StreamReader(await entry.OpenAsync(Token));
            var text = await reader.ReadToEndAsync(Token);
            Assert.All([DatabaseServer.AppPassword, DatabaseServer.SystemPassword, "superuser-of-the-tests", CliInstallation.KeyRing], secret => Assert.DoesNotContain(secret, text));
        }
    }

    [Fact]
    public async Task The_doctor_looks_into_redis()
    {
        await using var redis = await RedisTestServer.StartAsync();
        var database = await server.CreateMigratedAsync();
        var cli = new CliInstallation(database, CliInstallation.KeyRing, redis: redis.ConnectionString);
        var checks = JsonNode.Parse(await cli.DoAsync("doctor", "--json"))!.AsArray().ToDictionary(check => (string)check!["name"]!, check => (string)check!["state"]!);
        Assert.Equal(("ok", "ok", "ok"), (checks["redis"], checks["eviction policy"], checks["queues"]));
    }

    [Fact]
    public async Task A_rotation_here_leaves_nothing_on_the_old_key()
    {
        const string Old = "the old key of the ring that has 32 characters and more";
        var database = await server.CreateMigratedAsync();
        var user = await database.SignInAsync();
        await database.QueryAsync($"INSERT INTO encryption_keys VALUES ('{new KeyRing(Old).KeyIds[0]}', now())");
        await using (var db = database.Open(user))
        await using (var caches = new Caches(database))
        {
            var store = new SecretStore(db, new SecretCipher(new KeyRing(Old)), caches.Secrets, database.Audit, TimeProvider.System);
            await store.AddAsync(SecretOwner.User(user), "TOKEN", "v", null, Token);
        }

        Assert.Contains("does not fit", (await new CliInstallation(database, CliInstallation.KeyRing).RunAsync("rotate", "--here")).Error);
        var result = JsonNode.Parse(await new CliInstallation(database, CliInstallation.KeyRing, Old).DoAsync("rotate", "--here", "--json"))!;
        Assert.Equal(1, (int)result["rotated"]!);
        Assert.Equal(new KeyRing(Old).KeyIds[0], (string)result["removable"]![0]!);
        Assert.Equal([new KeyRing(CliInstallation.KeyRing).KeyIds[0] + ".t"], await database.QueryAsync("SELECT key_id FROM secrets"));
        Assert.Equal(
            [$"operator|keys.rotation_requested|{result["current_key_id"]}|", $"openhands|keys.rotated|{result["current_key_id"]}|0 rows refused, no longer used: {new KeyRing(Old).KeyIds[0]}"],
            await database.QueryAsync("SELECT actor, action, target, detail FROM audit_events WHERE action LIKE 'keys.%' ORDER BY occurred_at"));
    }

    private static async Task SealAsync(TestDatabase database)
    {
        await using var system = new Npgsql.NpgsqlConnection(database.System);
        await system.OpenAsync(Token);
        await Eventually.TrueAsync("everything is sealed", async () =>
        {
            await new AuditSealer(new KeyRing(CliInstallation.KeyRing), TimeProvider.System).SealAsync(system, Token);
            return (await database.QueryAsync($"SELECT 1 FROM ({AuditRows.All}) AS e WHERE position IS NULL")).Count == 0;
        });
    }
}
