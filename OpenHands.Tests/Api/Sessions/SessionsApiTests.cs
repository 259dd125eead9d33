using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Sessions;

public sealed class SessionsApiTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Sessions = "/api/v1/sessions";

    private TestDatabase _database = null!;
    private ApiHost _api = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}"]);
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_session_is_made_read_patched_listed_and_deleted()
    {
        var (path, etag) = await MakeAsync("""{"state":{"a":{"b":1,"c":2}},"conversation_id":"c1","expires_at":"2999-01-01T00:00:00+02:00"}""");
        Assert.Equal("\"1\"", etag);
        using (var patched = await SendAsync(HttpMethod.Patch, path, """{"a":{"c":null,"d":[1]}}""", etag))
        {
            Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
            Assert.Equal("\"2\"", patched.Headers.ETag?.Tag);
        }

        using (var read = await SendAsync(HttpMethod.Get, path))
        {
            var session = JsonNode.Parse(await read.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
            Assert.Equal("\"2\"", read.Headers.ETag?.Tag);
            Assert.Equal("""{"a":{"b":1,"d":[1]}}""", session["state"]!.ToJsonString());
            Assert.Equal("c1", (string?)session["conversation_id"]);
            Assert.Equal(new DateTimeOffset(2998, 12, 31, 22, 0, 0, TimeSpan.Zero), (DateTimeOffset?)session["expires_at"]);
        }

        using (var list = await SendAsync(HttpMethod.Get, Sessions + "?limit=1"))
            Assert.Single(JsonNode.Parse(await list.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["items"]!.AsArray());

        await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Delete, path, ifMatch: "\"1\"");
        using (var deleted = await SendAsync(HttpMethod.Delete, path, ifMatch: "\"2\""))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, path);
    }

    [Fact]
    public async Task A_patch_says_which_version_it_is_for()
    {
        var (path, _) = await MakeAsync("""{"state":{}}""");
        await RefusedAsync(HttpStatusCode.PreconditionRequired, HttpMethod.Patch, path, """{"a":1}""");
        await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Patch, path, """{"a":1}""", "\"7\"");
        await RefusedAsync(HttpStatusCode.PreconditionFailed, HttpMethod.Patch, path, """{"a":1}""", "W/\"1\"");
        using var any = await SendAsync(HttpMethod.Patch, path, """{"a":1}""", "*");
        Assert.Equal(HttpStatusCode.OK, any.StatusCode);
    }

    [Fact]
    public async Task What_cannot_be_stored_is_refused_and_changes_nothing()
    {
        var (path, etag) = await MakeAsync("""{"state":{"a":1}}""");
        var half = new string('x', 600 * 1024);
        using (var first = await SendAsync(HttpMethod.Patch, path, $$"""{"b":"{{half}}"}""", etag))
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        foreach (var (patch, status) in new[]
        {
            ($$"""{"c":"{{half}}"}""", HttpStatusCode.RequestEntityTooLarge),
            ($$"""{"c":"{{half}}{{half}}"}""", HttpStatusCode.RequestEntityTooLarge),
            ("""{"a":"\u0000"}""", HttpStatusCode.UnprocessableEntity),
            ("""{"a":"\ud800"}""", HttpStatusCode.UnprocessableEntity),
            ("""{"a":1e400000}""", HttpStatusCode.UnprocessableEntity),
            ("""{"a":1,"a":2}""", HttpStatusCode.BadRequest),
            ("[1]", HttpStatusCode.BadRequest),
            ("{", HttpStatusCode.BadRequest),
        })
        {
            await RefusedAsync(status, HttpMethod.Patch, path, patch, "*");
        }

        Assert.Equal(["2|1"], await _database.QueryAsync("SELECT version, state ->> 'a' FROM sessions"));
    }

    [Fact]
    public async Task A_bad_new_session_is_refused()
    {
        foreach (var body in new[]
        {
            "{}", """{"state":null}""", """{"state":[]}""", """{"state":{},"more":1}""", """{"state":{},"conversation_id":7}""",
            """{"state":{},"conversation_id":"\u0000"}""", """{"state":{},"expires_at":"tomorrow"}""", """{"state":{"a":"\u0000"}}""",
        })
        {
            await RefusedAsync(HttpStatusCode.UnprocessableEntity, HttpMethod.Post, Sessions, body);
        }

        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, Sessions + "/x");
    }

    [Fact]
    public async Task In_an_organization_it_is_404_to_who_is_no_member()
    {
        var (path, _) = await MakeAsync("""{"state":{}}""");
        var own = $"/api/v1/organizations/{await _database.DefaultOrganizationAsync(LocalUser.Id)}/sessions";
        var (shared, _) = await MakeAsync("""{"state":{}}""", own);
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, shared.Replace(own, Sessions));
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, path.Replace(Sessions, own));
        var foreign = $"/api/v1/organizations/{await _database.DefaultOrganizationAsync(await _database.SignInAsync())}/sessions";
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Post, foreign, """{"state":{}}""");
        await RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, foreign);
    }

    private async Task<(string Path, string? ETag)> MakeAsync(string body, string path = Sessions)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body);
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return (response.Headers.Location!.OriginalString, response.Headers.ETag?.Tag);
    }

    private async Task RefusedAsync(HttpStatusCode expected, HttpMethod method, string path, string? body = null, string? ifMatch = null)
    {
        using var response = await SendAsync(method, path, body, ifMatch);
        await Problem.AssertAsync(expected, response);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json");
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        // Asked first, as a body that is refused by its length would otherwise meet a closed connection.
        request.Headers.ExpectContinue = body?.Length > 1024 * 1024;
        return await _api.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
