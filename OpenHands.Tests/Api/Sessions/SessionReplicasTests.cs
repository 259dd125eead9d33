using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Api.Sessions;

/// <summary>Sessions through two replicas with one PostgreSQL and one Redis.</summary>
public sealed class SessionReplicasTests(DatabaseServer server, RedisFixture redisServer) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private RedisDatabase _redis = null!;
    private ApiHost _one = null!;
    private ApiHost _two = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _redis = await redisServer.CreateDatabaseAsync();
        string[] settings = [$"ConnectionStrings:openhands={_database.App}", $"ConnectionStrings:redis={_redis.ConnectionString}"];
        _one = await ApiHost.StartAsync(settings);
        _two = await ApiHost.StartAsync(settings);
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Of_a_thousand_patches_that_race_through_two_replicas_none_is_lost_and_all_readers_see_them()
    {
        var id = await MakeAsync();
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Token }, async (number, token) =>
        {
            var (writer, reader) = number % 2 == 0 ? (_one, _two) : (_two, _one);
            var patched = await PatchAsync(writer, id, $$"""{"m{{number}}":{{number}}}""");
            var read = await ReadAsync(reader, id);
            Assert.Equal(number, (int?)read["state"]![$"m{number}"]);
            Assert.True((long)read["version"]! >= (long)patched["version"]!);
        });

        foreach (var replica in new[] { _one, _two })
        {
            var session = await ReadAsync(replica, id);
            Assert.Equal(1001, (long)session["version"]!);
            Assert.Equal(Enumerable.Range(0, 1000), session["state"]!.AsObject().Select(member => (int)member.Value!).Order());
        }
    }

    [Fact]
    public async Task A_session_that_is_kept_in_Redis_is_read_without_PostgreSQL_and_shown_to_its_owner_alone()
    {
        var id = await MakeAsync();
        await ReadAsync(_one, id);
        var key = Assert.Single(await _redis.AllKeysAsync(), key => key.StartsWith("session:", StringComparison.Ordinal));
        Assert.Equal($"session:{id}", key);
        Assert.InRange(await _redis.Keys.KeyTimeToLiveAsync(key) ?? TimeSpan.Zero, TimeSpan.FromSeconds(3000), TimeSpan.FromSeconds(3600));

        // The row changes behind the cache, and the entry is young: what is shown comes from Redis.
        await _database.QueryAsync($$"""UPDATE sessions SET state = '{"changed": true}' WHERE id = '{{id}}'""");
        await PutAsync(key, await TimeAsync());
        Assert.Null((await ReadAsync(_two, id))["state"]!["changed"]);

        // The same entry, if its owner were somebody else.
        var entry = (string)(await _redis.Keys.StringGetAsync(key))!;
        await _redis.Keys.StringSetAsync(key, entry.Replace(LocalUser.Id, "0198c0de000070008000000000000002", StringComparison.Ordinal));
        using var foreign = await _two.Client.GetAsync(new Uri($"/api/v1/sessions/{id}", UriKind.Relative), Token);
        await Problem.AssertAsync(HttpStatusCode.NotFound, foreign);
    }

#if !ASPIRE_PACKAGES // counts what a Redis of its own is asked
    [Fact]
    public async Task A_read_that_is_limited_asks_Redis_twice_and_a_patch_three_times()
    {
        await using var redis = await RedisTestServer.StartAsync();
        await using var direct = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",allowAdmin=true");
        await using var api = await ApiHost.StartAsync(
            [$"ConnectionStrings:openhands={_database.App}", $"ConnectionStrings:redis={redis.ConnectionString}", "RateLimits:Enabled=true"]);
        var id = await MakeAsync();
        // Everything that is asked is a script. Now and then the replicas are counted, and a read that comes late looks whether it is old.
        await Eventually.TrueAsync("a read asks twice", async () =>
        {
            await PatchAsync(api, id, """{"a":1}""");
            return await ScriptsOfAsync(() => ReadAsync(api, id)) == 2;
        });
        await Eventually.TrueAsync("a patch asks three times", async () => await ScriptsOfAsync(() => PatchAsync(api, id, """{"a":2}""")) == 3);

        async Task<long> ScriptsOfAsync(Func<Task> requestAsync)
        {
            var before = await ScriptsAsync();
            await requestAsync();
            return await ScriptsAsync() - before;
        }

        async Task<long> ScriptsAsync()
        {
            var statistics = (await direct.GetServers()[0].InfoAsync("commandstats")).Single().ToDictionary(pair => pair.Key, pair => pair.Value);
            return long.Parse(statistics["cmdstat_evalsha"].Split(',')[0]["calls=".Length..]);
        }
    }
#endif

    [Fact]
    public async Task A_deleted_session_is_gone_on_every_replica()
    {
        var id = await MakeAsync();
        foreach (var replica in new[] { _one, _two })
            await ReadAsync(replica, id);
        using (await _one.Client.DeleteAsync(new Uri($"/api/v1/sessions/{id}", UriKind.Relative), Token))
        using (var gone = await _two.Client.GetAsync(new Uri($"/api/v1/sessions/{id}", UriKind.Relative), Token))
            await Problem.AssertAsync(HttpStatusCode.NotFound, gone);
    }

    [Fact]
    public async Task A_session_that_went_with_a_membership_is_not_shown_from_Redis()
    {
        var id = await MakeAsync();
        await ReadAsync(_one, id);
        await _database.QueryAsync($"DELETE FROM sessions WHERE id = '{id}'");
        await Eventually.TrueAsync("it is gone", async () =>
        {
            using var answer = await _one.Client.GetAsync(new Uri($"/api/v1/sessions/{id}", UriKind.Relative), Token);
            return answer.StatusCode == HttpStatusCode.NotFound;
        });
    }

    [Fact]
    public async Task Without_Redis_sessions_are_as_right()
    {
        var id = await MakeAsync();
        await using var cutOff = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}", "ConnectionStrings:redis=127.0.0.1:1,connectTimeout=100"]);
        await ReadAsync(_one, id);
        await PatchAsync(cutOff, id, """{"by":"cut off"}""");
        Assert.Equal("cut off", (string?)(await ReadAsync(cutOff, id))["state"]!["by"]);
        await Eventually.TrueAsync("the others see it", async () => (string?)(await ReadAsync(_one, id))["state"]!["by"] == "cut off");
    }

    [Fact]
    public async Task A_replica_that_loses_Redis_and_finds_it_again_loses_no_patch_and_shows_nothing_old()
    {
        var id = await MakeAsync();
        await using var relay = new TcpRelay(((DnsEndPoint)ConfigurationOptions.Parse(_redis.ConnectionString).EndPoints[0]).Port);
        relay.Open();
        var through = _redis.ConnectionString.Replace(_redis.ConnectionString.Split(',')[0], $"127.0.0.1:{relay.Port}", StringComparison.Ordinal);
        await using var unlucky = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}", $"ConnectionStrings:redis={through}"]);
        await PatchAsync(unlucky, id, """{"a":1}""");
        Assert.Equal(1, (int?)(await ReadAsync(_one, id))["state"]!["a"]);
        await relay.CloseAsync();
        await PatchAsync(unlucky, id, """{"b":1}""");
        Assert.Equal(1, (int?)(await ReadAsync(unlucky, id))["state"]!["b"]);
        await PatchAsync(_one, id, """{"c":1}""");
        foreach (var replica in new[] { unlucky, _two })
            Assert.Equal((1, 1), ((int?)(await ReadAsync(replica, id))["state"]!["b"], (int?)(await ReadAsync(replica, id))["state"]!["c"]));
        relay.Open();
        await Eventually.TrueAsync("it reaches Redis again", () => unlucky.Services.GetRequiredService<IConnectionMultiplexer>().IsConnected);
        await PatchAsync(_two, id, """{"d":1}""");
        Assert.Equal(1, (int?)(await ReadAsync(unlucky, id))["state"]!["d"]);
        // It is asked again a second after it was found gone.
        await Eventually.TrueAsync("its writes reach the others", async () =>
        {
            await PatchAsync(unlucky, id, """{"e":1}""");
            return (int?)(await ReadAsync(_one, id))["state"]!["e"] == 1;
        });

        Assert.Equal(5, (await ReadAsync(_one, id))["state"]!.AsObject().Count);
    }

    private async Task<string> MakeAsync()
    {
        using var answer = await _one.Client.PostAsJsonAsync("/api/v1/sessions", new JsonObject { ["state"] = new JsonObject() }, Token);
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(Token))!["id"]!;
    }

    private static async Task<JsonObject> ReadAsync(ApiHost replica, string id) =>
        (await replica.Client.GetFromJsonAsync<JsonObject>($"/api/v1/sessions/{id}", Token))!;

    private static async Task<JsonObject> PatchAsync(ApiHost replica, string id, string patch)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/sessions/{id}")
        {
            Content = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json"),
            Headers = { { "If-Match", "*" } },
        };
        using var answer = await replica.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(Token))!;
    }

    private async Task<long> TimeAsync()
    {
        var time = (RedisValue[])(await _redis.Keys.ExecuteAsync("TIME"))!;
        return ((long)time[0] * 1000) + ((long)time[1] / 1000);
    }

    // As if it had been put just now, and for a minute to come.
    private async Task PutAsync(string key, long now)
    {
        var parts = ((string)(await _redis.Keys.StringGetAsync(key))!).Split(' ', 2);
        await _redis.Keys.StringSetAsync(key, $"V{now + 60_000} {parts[1]}");
    }
}
