using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Api.Auth;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Audit;

/// <summary>The audit log over HTTP, for the local user.</summary>
public sealed class AuditApiTests(DatabaseServer server) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ApiHost _api = null!;
    private string _organization = "", _audit = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}"]);
        _organization = (string)(await JsonAsync("/api/v1/organizations"))["items"]![0]!["id"]!;
        _audit = $"/api/v1/organizations/{_organization}/audit";
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task Admins_see_who_did_what_from_where_newest_first()
    {
        await SendAsync(HttpMethod.Post, $"/api/v1/organizations/{_organization}/secrets", """{"name":"TOKEN","value":"v"}""", HttpStatusCode.Created);
        await SendAsync(HttpMethod.Delete, $"/api/v1/organizations/{_organization}/secrets/TOKEN", null, HttpStatusCode.NoContent);

        var shown = (await JsonAsync($"{_audit}?action=secret"))["items"]!.AsArray();
        Assert.Equal(["secret.deleted", "secret.created"], shown.Select(audited => (string?)audited!["action"]));
        Assert.All(shown, audited => Assert.Equal((LocalUser.Id, "127.0.0.1", "TOKEN"), ((string?)audited!["actor"], ((string?)audited["address"])?.Replace("::ffff:", "", StringComparison.Ordinal), (string?)audited["target"])));
        Assert.All(shown, audited => Assert.False(string.IsNullOrEmpty((string?)audited!["request_id"])));

        var first = await JsonAsync($"{_audit}?limit=1&action=secret");
        var second = await JsonAsync($"{_audit}?limit=1&action=secret&page_id={first["next_page_id"]}");
        Assert.Equal("secret.created", (string?)second["items"]![0]!["action"]);
        Assert.Null(second["next_page_id"]);
        Assert.Single((await JsonAsync($"{_audit}?action=secret.created&actor={LocalUser.Id}"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Webhooks_and_invitations_are_told_without_tokens()
    {
        var made = JsonNode.Parse(await SendAsync(
            HttpMethod.Post, $"/api/v1/organizations/{_organization}/webhooks", """{"url":"https://hooks.example.org/in?token=canary"}""", HttpStatusCode.Created))!;
        var webhook = (string?)made["webhook"]!["id"];
        await SendAsync(HttpMethod.Patch, $"/api/v1/organizations/{_organization}/webhooks/{webhook}", """{"is_enabled":false}""", HttpStatusCode.OK);
        await SendAsync(HttpMethod.Delete, $"/api/v1/organizations/{_organization}/webhooks/{webhook}", null, HttpStatusCode.NoContent);
        Assert.Equal(
            [
                $"webhook.deleted {webhook} https://hooks.example.org, not enabled", $"webhook.updated {webhook} https://hooks.example.org, not enabled",
                $"webhook.created {webhook} https://hooks.example.org",
            ],
            await ToldAsync("webhook"));

        var invitation = (string?)JsonNode.Parse(await SendAsync(
            HttpMethod.Post, $"/api/v1/organizations/{_organization}/invitations", """{"role":"member","email":"eve@example.org"}""", HttpStatusCode.Created))!["id"];
        await SendAsync(HttpMethod.Delete, $"/api/v1/organizations/{_organization}/invitations/{invitation}", null, HttpStatusCode.NoContent);
        Assert.Equal(
            [$"invitation.revoked {invitation} member, for eve@example.org", $"invitation.created {invitation} member, for eve@example.org"], await ToldAsync("invitation"));

        async Task<IEnumerable<string>> ToldAsync(string subject) => (await JsonAsync($"{_audit}?action={subject}"))["items"]!.AsArray()
            .Select(audited => $"{audited!["action"]} {audited["target"]} {audited["detail"]}");
    }

    [Fact]
    public async Task An_export_goes_on_where_the_last_one_ended()
    {
        await SealAsync();
        var first = await LinesAsync($"{_audit}/export");
        Assert.Contains(first, line => line.Contains("\"organization.created\"", StringComparison.Ordinal));
        await SealAsync();
        var last = JsonNode.Parse(first[^1])!["position"];
        Assert.Equal("audit.exported", (string?)JsonNode.Parse(Assert.Single(await LinesAsync($"{_audit}/export?after={last}")))!["action"]);
        await SendAsync(HttpMethod.Get, $"{_audit}/export?after=-1", null, HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Retention_is_chosen_within_bounds_and_told()
    {
        Assert.Null((await JsonAsync($"{_audit}/retention"))["days"]);
        foreach (var (body, status) in new[]
            { ("""{"days":29}""", HttpStatusCode.UnprocessableEntity), ("{}", HttpStatusCode.BadRequest), ("""{"days":"x"}""", HttpStatusCode.BadRequest), ("""{"days":90}""", HttpStatusCode.OK) })
        {
            await SendAsync(HttpMethod.Put, $"{_audit}/retention", body, status);
        }

        Assert.Equal(90, (int?)(await JsonAsync($"{_audit}/retention"))["days"]);
        await SendAsync(HttpMethod.Put, $"{_audit}/retention", """{"days":null}""", HttpStatusCode.OK);
        Assert.Equal(
            ["for ever", "90 days"],
            (await JsonAsync($"{_audit}?action=audit_retention"))["items"]!.AsArray().Select(audited => (string?)audited!["detail"]));
    }

    [Fact]
    public async Task A_member_may_not_see_it_and_a_stranger_finds_nothing()
    {
        var theirs = await _database.SignInAsync();
        var organization = await _database.DefaultOrganizationAsync(theirs);
        foreach (var path in new[] { "", "/export", "/retention" })
            await SendAsync(HttpMethod.Get, $"/api/v1/organizations/{organization}/audit{path}", null, HttpStatusCode.NotFound);
        await _database.JoinAsync(organization, LocalUser.Id);
        foreach (var path in new[] { "", "/export", "/retention" })
            await SendAsync(HttpMethod.Get, $"/api/v1/organizations/{organization}/audit{path}", null, HttpStatusCode.Forbidden);
        await SendAsync(HttpMethod.Put, $"/api/v1/organizations/{organization}/audit/retention", """{"days":90}""", HttpStatusCode.Forbidden);
        foreach (var query in new[] { "?limit=0", "?page_id=x", "?action=%00", "?actor=" + new string('x', 100) })
            await SendAsync(HttpMethod.Get, _audit + query, null, HttpStatusCode.UnprocessableEntity);
    }

    private async Task SealAsync()
    {
        await using var system = new NpgsqlConnection(_database.System);
        await system.OpenAsync(Token);
        // Transactions of other tests on the same server hold the horizon back, too.
        await Eventually.TrueAsync("everything is sealed", async () =>
        {
            await new AuditSealer(new KeyRing(ApiHost.KeyRing), TimeProvider.System).SealAsync(system, Token);
            return (await _database.QueryAsync($"SELECT 1 FROM ({AuditRows.All}) AS e WHERE position IS NULL")).Count == 0;
        });
    }

    private async Task<string[]> LinesAsync(string path) =>
        (await SendAsync(HttpMethod.Get, path, null, HttpStatusCode.OK)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse(await SendAsync(HttpMethod.Get, path, null, HttpStatusCode.OK))!;

    private async Task<string> SendAsync(HttpMethod method, string path, string? body, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _api.Client.SendAsync(request, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == expected, $"{method} {path}: {response.StatusCode} {text}");
        return text;
    }
}
