using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OpenHands.Api.Auth;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Users;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Users;

/// <summary>What ends when a member or a user goes, on every replica, with sessions kept in Redis.</summary>
public sealed class RemovalTests(DatabaseServer server, RedisFixture redisServer) : IAsyncLifetime
{
    private OidcReplicas _replicas = null!;
    private RedisDatabase _redis = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TestDatabase Database => _replicas.Database;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _replicas = await OidcReplicas.StartAsync(await server.CreateMigratedAsync(), $"ConnectionStrings:redis={_redis.ConnectionString}");
    }

    public async ValueTask DisposeAsync()
    {
        await _replicas.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_removed_member_s_key_and_kept_session_are_refused_by_all_replicas_and_the_rest_goes_on()
    {
        var (admin, member) = (_replicas.TokenOf("admin"), _replicas.TokenOf("member"));
        var organization = await _replicas.OrganizationOfAsync("admin");
        var user = await _replicas.UserIdAsync("member");
        await _replicas.JsonAsync(HttpStatusCode.Created, admin, HttpMethod.Post, organization + "/members", $$"""{"user_id":"{{user}}","role":"member"}""");
        var session = $"{organization}/sessions/{await MakeAsync(member, organization + "/sessions", """{"state":{"a":1}}""", "id")}";
        var key = await MakeAsync(member, organization + "/api-keys", """{"name":"ci","scopes":["sessions:read"]}""", "key");
        await EverywhereAsync(HttpStatusCode.OK, member, session);
        await EverywhereAsync(HttpStatusCode.OK, key, "/api/v1/sessions");

        await _replicas.JsonAsync(HttpStatusCode.NoContent, admin, HttpMethod.Delete, $"{organization}/members/{user}");
        await EverywhereAsync(HttpStatusCode.NotFound, member, session);
        await EverywhereAsync(HttpStatusCode.Unauthorized, key, "/api/v1/sessions");
        await EverywhereAsync(HttpStatusCode.OK, member, "/api/v1/users/me");

        // Back in the organization, what ended does not come back, whatever Redis still has.
        await _replicas.JsonAsync(HttpStatusCode.Created, admin, HttpMethod.Post, organization + "/members", $$"""{"user_id":"{{user}}","role":"member"}""");
        await EverywhereAsync(HttpStatusCode.NotFound, member, session);
        await EverywhereAsync(HttpStatusCode.Unauthorized, key, "/api/v1/sessions");
    }

    [Fact]
    public async Task Users_remove_themselves_with_all_that_is_theirs_and_do_not_come_back()
    {
        var token = _replicas.TokenOf("leaver");
        var own = await _replicas.OrganizationOfAsync("leaver");
        var shared = await _replicas.OrganizationOfAsync("stayer");
        await _replicas.JsonAsync(
            HttpStatusCode.Created, _replicas.TokenOf("stayer"), HttpMethod.Post, shared + "/members", $$"""{"user_id":"{{await _replicas.UserIdAsync("leaver")}}","role":"admin"}""");
        await _replicas.JsonAsync(HttpStatusCode.OK, token, HttpMethod.Post, "/api/settings", """{"language":"de","llm_api_key":"sk-x"}""");
        await _replicas.JsonAsync(HttpStatusCode.Created, token, HttpMethod.Post, "/api/v1/secrets", """{"name":"A","value":"v"}""");
        await MakeAsync(token, shared + "/invitations", """{"role":"member"}""", "id");
        var session = $"/api/v1/sessions/{await MakeAsync(token, "/api/v1/sessions", """{"state":{}}""", "id")}";
        var key = await MakeAsync(token, own + "/api-keys", """{"name":"ci","scopes":["settings:write","sessions:read"]}""", "key");
        await EverywhereAsync(HttpStatusCode.OK, token, session);
        Assert.Equal(HttpStatusCode.Forbidden, await OidcReplicas.StatusAsync(_replicas.One, key, HttpMethod.Delete, "/api/v1/users/me"));

        await _replicas.JsonAsync(HttpStatusCode.NoContent, token, HttpMethod.Delete, "/api/v1/users/me");
        await EverywhereAsync(HttpStatusCode.Unauthorized, token, "/api/v1/users/me");
        await EverywhereAsync(HttpStatusCode.Unauthorized, token, session);
        await EverywhereAsync(HttpStatusCode.Unauthorized, key, "/api/v1/sessions");
        Assert.Equal(["stayer"], await Database.QueryAsync("SELECT display_name FROM users"));
        Assert.Equal(["0|0|0|0|0|1|1"], await Database.QueryAsync(
            """
            SELECT (SELECT count(*) FROM user_settings), (SELECT count(*) FROM secrets), (SELECT count(*) FROM sessions), (SELECT count(*) FROM api_keys),
                (SELECT count(*) FROM invitations), (SELECT count(*) FROM organizations), (SELECT count(*) FROM organization_memberships)
            """));
    }

    [Fact]
    public async Task Who_would_leave_others_without_an_admin_stays()
    {
        var admin = _replicas.TokenOf("admin");
        var organization = await _replicas.OrganizationOfAsync("admin");
        await _replicas.JsonAsync(
            HttpStatusCode.Created, admin, HttpMethod.Post, organization + "/members", $$"""{"user_id":"{{await _replicas.UserIdAsync("member")}}","role":"member"}""");
        await _replicas.JsonAsync(HttpStatusCode.Conflict, admin, HttpMethod.Delete, "/api/v1/users/me");
        await _replicas.JsonAsync(HttpStatusCode.OK, admin, HttpMethod.Get, "/api/v1/users/me");
        Assert.Equal(["2"], await Database.QueryAsync("SELECT count(*) FROM users"));
    }

    // Whoever joins while the last one goes finds either no organization or one that has an admin.
    [Fact]
    public async Task No_organization_is_left_without_an_admin_however_removals_and_invitations_race()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async number =>
        {
            var (admin, guest) = (_replicas.TokenOf($"admin{number}"), _replicas.TokenOf($"guest{number}"));
            var organization = await _replicas.OrganizationOfAsync($"admin{number}");
            await _replicas.UserIdAsync($"guest{number}");
            var link = await MakeAsync(admin, organization + "/invitations", """{"role":"member"}""", "link");
            var body = $$"""{"token":"{{link[(link.IndexOf('#', StringComparison.Ordinal) + 1)..]}}"}""";
            var statuses = await Task.WhenAll(
                OidcReplicas.StatusAsync(_replicas.One, admin, HttpMethod.Delete, "/api/v1/users/me"),
                OidcReplicas.StatusAsync(_replicas.Two, guest, HttpMethod.Post, "/api/v1/invitations/accept", body));
            Assert.Contains(statuses[0], new[] { HttpStatusCode.NoContent, HttpStatusCode.Conflict });
            Assert.Contains(statuses[1], new[] { HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.Conflict });
            Assert.False(statuses[0] == HttpStatusCode.NoContent && statuses[1] == HttpStatusCode.OK, "both");
        }));
        Assert.Equal(["0"], await Database.QueryAsync(
            "SELECT count(*) FROM organizations o WHERE NOT EXISTS (SELECT FROM organization_memberships m WHERE m.organization_id = o.id AND m.role = 'admin')"));
    }

    // The promise in figures, without waiting for it: what was believed is asked again within five seconds.
    [Fact]
    public async Task No_replica_believes_in_a_user_or_a_key_for_longer_than_five_seconds()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var services = new ServiceCollection().AddScoped(_ => Database.Open()).BuildServiceProvider();
        var scopes = services.GetRequiredService<IServiceScopeFactory>();
        var identities = new IdentityDirectory(scopes, time);
        using var uses = new ApiKeyUses(scopes, time, NullLogger<ApiKeyUses>.Instance);
        var keys = new ApiKeyDirectory(scopes, uses, time);

        var key = await MakeAsync(_replicas.TokenOf("leaver"), await _replicas.OrganizationOfAsync("leaver") + "/api-keys", """{"name":"ci","scopes":["sessions:read"]}""", "key");
        var leaver = new Identity(_replicas.Issuer.Address, "subject-of-leaver", "leaver@example.org", "leaver");
        Assert.NotNull(await identities.SignInAsync(leaver, Token));
        Assert.NotNull(await keys.FindAsync(key, Token));
        await _replicas.JsonAsync(HttpStatusCode.NoContent, _replicas.TokenOf("leaver"), HttpMethod.Delete, "/api/v1/users/me");
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await identities.SignInAsync(leaver, Token));
        Assert.Null(await keys.FindAsync(key, Token));
    }

    [Fact]
    public async Task Without_a_login_the_one_user_stays()
    {
        await using var local = await ApiHost.StartAsync([$"ConnectionStrings:openhands={Database.App}"]);
        using var answer = await local.Client.DeleteAsync("/api/v1/users/me", Token);
        await Problem.AssertAsync(HttpStatusCode.Conflict, answer);
        Assert.Equal([LocalUser.Id], await Database.QueryAsync("SELECT id FROM users"));
    }

    private async Task<string> MakeAsync(string bearer, string path, string body, string member) =>
        (string)(await _replicas.JsonAsync(HttpStatusCode.Created, bearer, HttpMethod.Post, path, body))[member]!;

    private async Task EverywhereAsync(HttpStatusCode expected, string bearer, string path)
    {
        foreach (var replica in new[] { _replicas.One, _replicas.Two })
            await Eventually.TrueAsync($"{path} is {expected}", async () => await OidcReplicas.StatusAsync(replica, bearer, HttpMethod.Get, path) == expected);
    }
}
