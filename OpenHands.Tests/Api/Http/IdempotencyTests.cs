using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Api.Auth;
using OpenHands.Storage;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Http;

/// <summary>Requests that come again, on every route that creates something, through two replicas.</summary>
public sealed class IdempotencyTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Sessions = "/api/v1/sessions";
    private const string Session = """{"state":{"a":1}}""";

    private TestDatabase _database = null!;
    private ApiHost _api = null!;
    private ApiHost _other = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        string[] settings = [$"ConnectionStrings:openhands={_database.App}"];
        _api = await ApiHost.StartAsync(settings);
        _other = await ApiHost.StartAsync(settings);
        using (await _api.Client.GetAsync("/api/v1/organizations", Token))
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _other.DisposeAsync();
    }

    public static TheoryData<string, string, string> CreatingRoutes => new()
    {
        { "/api/v1/organizations", """{"name":"Acme"}""", "SELECT count(*) FROM organizations WHERE name = 'Acme'" },
        { "/api/v1/organizations/{own}/members", """{"user_id":"{colleague}","role":"member"}""", "SELECT count(*) FROM organization_memberships WHERE role = 'member'" },
        { "/api/v1/secrets", """{"name":"A","value":"canary-value"}""", "SELECT count(*) FROM secrets" },
        { "/api/v1/organizations/{own}/secrets", """{"name":"A","value":"canary-value"}""", "SELECT count(*) FROM secrets" },
        { "/api/v1/organizations/{own}/invitations", """{"role":"member"}""", "SELECT count(*) FROM invitations" },
        { Sessions, Session, "SELECT count(*) FROM sessions" },
        { "/api/v1/organizations/{own}/sessions", Session, "SELECT count(*) FROM sessions" },
        { "/api/v1/api-keys", """{"name":"ci","scopes":["sessions:read"]}""", "SELECT count(*) FROM api_keys" },
        { "/api/v1/organizations/{own}/api-keys", """{"name":"ci","scopes":["sessions:read"]}""", "SELECT count(*) FROM api_keys" },
    };

    [Theory]
    [MemberData(nameof(CreatingRoutes))]
    public async Task However_often_a_request_comes_at_once_or_later_it_is_done_once_and_answered_alike(string route, string content, string count)
    {
        var colleague = await _database.SignInAsync();
        var path = route.Replace("{own}", await _database.DefaultOrganizationAsync(LocalUser.Id));
        var body = content.Replace("{colleague}", colleague);
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(number => AnswerAsync(number % 2 == 0 ? _api : _other, path, body, "key-1")));

        Assert.Equal(["1"], await _database.QueryAsync(count));
        Assert.All(answers, answer => Assert.True(answer.Status is HttpStatusCode.Created or HttpStatusCode.Conflict, $"{answer.Status} {answer.Body}"));
        var first = Assert.Single(answers, answer => answer is { Status: HttpStatusCode.Created, Repeated: false });
        var later = await AnswerAsync(_other, path, body, "key-1");
        Assert.True(later.Repeated);
        Assert.Equal((first.Status, first.Location, first.Tag), (later.Status, later.Location, later.Tag));
        Assert.Equal(WithoutKey(first.Body), WithoutKey(later.Body));
        Assert.Equal(["1"], await _database.QueryAsync(count));

        // What is shown once is shown once, and neither it nor a posted value is kept.
        var record = Assert.Single(await _database.QueryAsync("SELECT r::text FROM idempotency_records r"));
        foreach (var shown in new[] { Shown(first.Body, "key"), Shown(first.Body, "link") }.Where(text => text.Length > 0))
            Assert.DoesNotContain(shown[^20..], record);
        Assert.DoesNotContain("canary", record);
        Assert.Equal(("", ""), (Shown(later.Body, "key"), Shown(later.Body, "link")));
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_422_and_changes_nothing()
    {
        await CreatedAsync(Session, "key-1");
        using var other = await SendAsync(_api, Sessions, """{"state":{"a":2}}""", "key-1");
        await Problem.AssertAsync(HttpStatusCode.UnprocessableEntity, other);
        Assert.Equal(["1"], await _database.QueryAsync("SELECT count(*) FROM sessions"));
    }

    [Fact]
    public async Task While_a_request_is_being_worked_on_the_same_one_is_409_at_once()
    {
        // A transaction that holds what the first request would hold.
        await using var db = _database.Open(LocalUser.Id);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await LockAsync(db, $"idempotency\n{LocalUser.Id}\n\nPOST {Sessions}\nkey-1");
        using (var second = await SendAsync(_api, Sessions, Session, "key-1"))
            await Problem.AssertAsync(HttpStatusCode.Conflict, second);
        await transaction.RollbackAsync(Token);
        await CreatedAsync(Session, "key-1");
    }

    [Fact]
    public async Task What_was_refused_is_not_kept_and_leaves_nothing_behind()
    {
        using (var refused = await SendAsync(_api, Sessions, """{"state":[]}""", "key-1"))
            await Problem.AssertAsync(HttpStatusCode.UnprocessableEntity, refused);
        await CreatedAsync(Session, "key-1");

        await CreatedAsync("""{"name":"A","value":"v"}""", "key-2", "/api/v1/secrets");
        using (var taken = await SendAsync(_api, "/api/v1/secrets", """{"name":"A","value":"w"}""", "key-3"))
            await Problem.AssertAsync(HttpStatusCode.Conflict, taken);
        using (await _api.Client.DeleteAsync("/api/v1/secrets/A", Token))
        {
        }

        await CreatedAsync("""{"name":"A","value":"w"}""", "key-3", "/api/v1/secrets");
        var members = $"/api/v1/organizations/{await _database.DefaultOrganizationAsync(LocalUser.Id)}/members";
        using (var unknown = await SendAsync(_api, members, """{"user_id":"0198c0de000070008000000000000009","role":"member"}""", "key-4"))
            await Problem.AssertAsync(HttpStatusCode.NotFound, unknown);
        Assert.Equal(["3"], await _database.QueryAsync("SELECT count(*) FROM idempotency_records"));
    }

    [Fact]
    public async Task What_failed_in_the_middle_leaves_neither_work_nor_record()
    {
        await _database.QueryAsync(
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'crash' USING ERRCODE = 'crash_shutdown'; END $$;
            GRANT EXECUTE ON FUNCTION fail() TO PUBLIC;
            CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON idempotency_records DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()
            """);
        using (var failed = await SendAsync(_api, Sessions, Session, "key-1"))
            await Problem.AssertAsync(HttpStatusCode.ServiceUnavailable, failed);
        Assert.Equal(["0|0"], await _database.QueryAsync("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM idempotency_records)"));

        await _database.QueryAsync("DROP TRIGGER fail ON idempotency_records");
        await CreatedAsync(Session, "key-1");
        Assert.Equal(["1"], await _database.QueryAsync("SELECT count(*) FROM sessions"));
    }

    [Fact]
    public async Task The_same_key_of_another_user_organization_or_route_is_another_request()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var oidc = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}", .. issuer.Settings]);
        foreach (var person in new[] { "alice", "bob" })
        {
            using var answer = await SendAsync(oidc, Sessions, Session, "key-1", bearer: issuer.TokenFor(Issuer.Named(person)));
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Idempotency-Replayed"));
        }

        await CreatedAsync(Session, "key-1");
        await CreatedAsync(Session, "key-1", $"/api/v1/organizations/{await _database.DefaultOrganizationAsync(LocalUser.Id)}/sessions");
        await CreatedAsync("""{"name":"A","value":"v"}""", "key-1", "/api/v1/secrets");
        Assert.Equal(["4"], await _database.QueryAsync("SELECT count(*) FROM sessions"));
    }

    [Fact]
    public async Task After_a_day_the_key_is_free_again()
    {
        await CreatedAsync(Session, "key-1");
        await _database.QueryAsync("UPDATE idempotency_records SET created_at = now() - interval '24 hours 1 minute'");
        await CreatedAsync("""{"state":{"a":2}}""", "key-1");
        Assert.Equal(["1"], await _database.QueryAsync("SELECT count(*) FROM idempotency_records"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("long")]
    public async Task A_key_that_is_none_is_400(string key)
    {
        using var answer = await SendAsync(_api, Sessions, Session, key == "long" ? new string('k', 256) : key);
        await Problem.AssertAsync(HttpStatusCode.BadRequest, answer);
    }

    [Fact]
    public async Task Every_creating_route_of_the_platform_says_in_the_document_that_it_takes_a_key()
    {
        var paths = JsonNode.Parse(await _api.Client.GetStringAsync("/openapi/v1.json", Token))!["paths"]!.AsObject();
        var creating = paths.Where(path => path.Key.StartsWith("/api/v1/", StringComparison.Ordinal) && path.Value?["post"]?["responses"]?["201"] is not null).ToList();
        Assert.True(creating.Count >= 9, string.Join('\n', creating.Select(path => path.Key)));
        Assert.All(creating, path =>
        {
            var parameters = path.Value!["post"]!["parameters"]?.AsArray() ?? [];
            Assert.Single(parameters, parameter => (string?)parameter!["name"] == "Idempotency-Key" && (string?)parameter["in"] == "header");
        });
    }

    private async Task CreatedAsync(string body, string key, string path = Sessions)
    {
        var answer = await AnswerAsync(_api, path, body, key);
        Assert.True(answer is { Status: HttpStatusCode.Created, Repeated: false }, $"{answer.Status} {answer.Body}");
    }

    private static async Task LockAsync(OpenHandsDb db, string name)
    {
        var granted = await Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions.ToListAsync(
            Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions.SqlQuery<bool>(
                db.Database, $"""SELECT pg_try_advisory_xact_lock(hashtextextended({name}, 0)) AS "Value" """),
            Token);
        Assert.Equal([true], granted);
    }

    private static string WithoutKey(string body)
    {
        if (body.Length == 0 || JsonNode.Parse(body) is not JsonObject members)
            return body;
        members.Remove("key");
        members.Remove("link");
        return members.ToJsonString();
    }

    private static string Shown(string body, string member) =>
        body.Length > 0 && JsonNode.Parse(body) is JsonObject members ? (string?)members[member] ?? "" : "";

    private static async Task<Answer> AnswerAsync(ApiHost host, string path, string body, string key)
    {
        using var response = await SendAsync(host, path, body, key);
        return new Answer(
            response.StatusCode, response.Headers.Location?.OriginalString, response.Headers.ETag?.Tag, await response.Content.ReadAsStringAsync(Token),
            response.Headers.TryGetValues("Idempotency-Replayed", out var values) && values.Single() == "true");
    }

    private static async Task<HttpResponseMessage> SendAsync(ApiHost host, string path, string body, string key, string? bearer = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        if (bearer is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        return await host.Client.SendAsync(request, Token);
    }

    private sealed record Answer(HttpStatusCode Status, string? Location, string? Tag, string Body, bool Repeated);
}
