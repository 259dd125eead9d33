using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Organizations;

/// <summary>Organizations over HTTP, for the local user, among organizations and users of others.</summary>
public sealed class OrganizationsApiTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Organizations = "/api/v1/organizations";

    private static readonly (string Method, string Path, string? Body, HttpStatusCode Expected)[] BadInput =
    [
        ("POST", "", "{}", HttpStatusCode.BadRequest),
        ("POST", "", """{"name":null}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "", """{"name":7}""", HttpStatusCode.BadRequest),
        ("POST", "", """{"name":" "}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "", """{"name":"a\u0000b"}""", HttpStatusCode.UnprocessableEntity),
        ("POST", "", """{"name":"\ud800"}""", HttpStatusCode.BadRequest),
        ("POST", "", """{"name":"a","owner":"b"}""", HttpStatusCode.BadRequest),
        ("POST", "", """{"name":"a","name":"b"}""", HttpStatusCode.BadRequest),
        ("GET", "?limit=0", null, HttpStatusCode.UnprocessableEntity),
        ("GET", "?limit=x", null, HttpStatusCode.BadRequest),
        ("GET", "?page_id=%00", null, HttpStatusCode.UnprocessableEntity),
        ("GET", "/0198C0DE000070008000000000000001", null, HttpStatusCode.NotFound),
        ("GET", "/0198c0de-0000-7000-8000-000000000001", null, HttpStatusCode.NotFound),
        ("GET", "/%01", null, HttpStatusCode.NotFound),
        ("POST", "/{own}/members", """{"user_id":"\u0000","role":"member"}""", HttpStatusCode.NotFound),
        ("POST", "/{own}/members", """{"user_id":null,"role":"member"}""", HttpStatusCode.NotFound),
        ("POST", "/{own}/members", """{"user_id":"x","role":"owner"}""", HttpStatusCode.UnprocessableEntity),
        ("PUT", "/{own}/members/0198c0de000070008000000000000001", """{"role":null}""", HttpStatusCode.UnprocessableEntity),
    ];

    private TestDatabase _database = null!;
    private ApiHost _api = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_database.App}"]);
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task The_first_request_makes_a_default_organization_that_the_user_rules()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => JsonAsync(HttpMethod.Get, Organizations)));
        var mine = Assert.Single((await JsonAsync(HttpMethod.Get, Organizations))["items"]!.AsArray())!;
        Assert.Equal("Personal", (string?)mine["name"]);
        Assert.Equal("admin", (string?)mine["role"]);
        Assert.True((bool?)mine["is_active"]);
    }

    [Fact]
    public async Task An_organization_is_made_renamed_and_switched_to()
    {
        var made = await JsonAsync(HttpMethod.Post, Organizations, """{"name":" Acme 🚀 "}""", HttpStatusCode.Created);
        var path = $"{Organizations}/{made["id"]}";
        Assert.Equal("Acme 🚀", (string?)made["name"]);
        Assert.False((bool?)made["is_active"]);

        using (var response = await SendAsync(HttpMethod.Put, path, """{"name":"Apex"}""", ifMatch: "\"1\""))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("\"2\"", response.Headers.ETag?.Tag);
        }

        using (var stale = await SendAsync(HttpMethod.Put, path, """{"name":"Late"}""", ifMatch: "\"1\""))
            await Problem.AssertAsync(HttpStatusCode.PreconditionFailed, stale);
        using (var switched = await SendAsync(HttpMethod.Post, path + "/switch"))
            Assert.Equal(HttpStatusCode.NoContent, switched.StatusCode);

        var read = await JsonAsync(HttpMethod.Get, path);
        Assert.Equal("Apex", (string?)read["name"]);
        Assert.True((bool?)read["is_active"]);
    }

    [Fact]
    public async Task Members_are_added_changed_listed_and_removed()
    {
        var (path, other) = (await OwnAsync(), await _database.SignInAsync());
        await StatusAsync(HttpStatusCode.Created, HttpMethod.Post, path + "/members", $$"""{"user_id":"{{other}}","role":"member"}""");
        await StatusAsync(HttpStatusCode.Conflict, HttpMethod.Post, path + "/members", $$"""{"user_id":"{{other}}","role":"member"}""");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Post, path + "/members", """{"user_id":"0198c0de000070008000000000000009","role":"member"}""");
        await StatusAsync(HttpStatusCode.NoContent, HttpMethod.Put, $"{path}/members/{other}", """{"role":"admin"}""");

        var first = await JsonAsync(HttpMethod.Get, path + "/members?limit=1");
        var second = await JsonAsync(HttpMethod.Get, $"{path}/members?limit=1&page_id={first["next_page_id"]}");
        Assert.Null(second["next_page_id"]);
        var members = first["items"]!.AsArray().Concat(second["items"]!.AsArray()).ToDictionary(member => (string)member!["user_id"]!, member => (string)member!["role"]!);
        Assert.Equal(new Dictionary<string, string> { [LocalUser.Id] = "admin", [other] = "admin" }, members);

        await StatusAsync(HttpStatusCode.NoContent, HttpMethod.Delete, $"{path}/members/{other}");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Delete, $"{path}/members/{other}");
    }

    [Fact]
    public async Task The_last_admin_can_neither_leave_nor_step_down()
    {
        var path = await OwnAsync();
        await StatusAsync(HttpStatusCode.Conflict, HttpMethod.Delete, $"{path}/members/{LocalUser.Id}");
        await StatusAsync(HttpStatusCode.Conflict, HttpMethod.Put, $"{path}/members/{LocalUser.Id}", """{"role":"member"}""");
        Assert.Equal("admin", (string?)(await JsonAsync(HttpMethod.Get, path))["role"]);
    }

    [Fact]
    public async Task A_member_may_look_and_leave_but_change_nothing()
    {
        await OwnAsync();
        var admin = await _database.SignInAsync();
        var path = await ForeignAsync(admin);
        await _database.JoinAsync(path[(Organizations.Length + 1)..], LocalUser.Id);

        Assert.Equal("member", (string?)(await JsonAsync(HttpMethod.Get, path))["role"]);
        Assert.Equal(2, (await JsonAsync(HttpMethod.Get, path + "/members"))["items"]!.AsArray().Count);
        await StatusAsync(HttpStatusCode.Forbidden, HttpMethod.Put, path, """{"name":"Mine"}""");
        await StatusAsync(HttpStatusCode.Forbidden, HttpMethod.Post, path + "/members", $$"""{"user_id":"{{admin}}","role":"member"}""");
        await StatusAsync(HttpStatusCode.Forbidden, HttpMethod.Put, $"{path}/members/{LocalUser.Id}", """{"role":"admin"}""");
        await StatusAsync(HttpStatusCode.Forbidden, HttpMethod.Delete, $"{path}/members/{admin}");
        await StatusAsync(HttpStatusCode.NoContent, HttpMethod.Post, path + "/switch");
        await StatusAsync(HttpStatusCode.NoContent, HttpMethod.Delete, $"{path}/members/{LocalUser.Id}");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Get, path);
        Assert.Equal([""], await _database.QueryAsync($"SELECT coalesce(active_organization_id, '') FROM users WHERE id = '{LocalUser.Id}'"));
    }

    [Fact]
    public async Task An_organization_of_others_is_404_on_every_route()
    {
        await OwnAsync();
        var admin = await _database.SignInAsync();
        var path = await ForeignAsync(admin);
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Get, path);
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Put, path, """{"name":"Mine"}""");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Post, path + "/switch");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Get, path + "/members");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Post, path + "/members", $$"""{"user_id":"{{LocalUser.Id}}","role":"admin"}""");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Put, $"{path}/members/{admin}", """{"role":"member"}""");
        await StatusAsync(HttpStatusCode.NotFound, HttpMethod.Delete, $"{path}/members/{admin}");
        Assert.Single((await JsonAsync(HttpMethod.Get, Organizations))["items"]!.AsArray());
    }

    [Fact]
    public async Task Bad_input_is_refused_with_a_reason()
    {
        var own = await OwnAsync();
        foreach (var (method, path, body, expected) in BadInput)
            await StatusAsync(expected, HttpMethod.Parse(method), Organizations + path.Replace("/{own}", own[Organizations.Length..]), body);
    }

    private async Task<string> OwnAsync() =>
        $"{Organizations}/{(await JsonAsync(HttpMethod.Get, Organizations))["items"]![0]!["id"]}";

    private async Task<string> ForeignAsync(string admin) => $"{Organizations}/{await _database.DefaultOrganizationAsync(admin)}";

    private async Task StatusAsync(HttpStatusCode expected, HttpMethod method, string path, string? body = null)
    {
        using var response = await SendAsync(method, path, body);
        if ((int)expected >= 400)
            await Problem.AssertAsync(expected, response);
        else
            Assert.Equal(expected, response.StatusCode);
    }

    private async Task<JsonNode> JsonAsync(HttpMethod method, string path, string? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await SendAsync(method, path, body);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == expected, $"{response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await _api.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
