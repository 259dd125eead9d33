using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Invitations;

/// <summary>Invitations over HTTP, through two replicas in the mode with a login.</summary>
public sealed class InvitationsApiTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Accept = "/api/v1/invitations/accept";
    private const string Look = "/api/v1/invitations/look";

    private OidcReplicas _replicas = null!;
    private MailServer _mail = null!;
    private string _admin = "";
    private string _organization = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TestDatabase Database => _replicas.Database;

    public async ValueTask InitializeAsync()
    {
        _mail = new MailServer();
        _replicas = await OidcReplicas.StartAsync(await server.CreateMigratedAsync(), [.. _mail.Settings, "Invitations:Address=https://oh.example.org/"]);
        _admin = _replicas.TokenOf("admin");
        _organization = await _replicas.OrganizationOfAsync("admin");
    }

    public async ValueTask DisposeAsync()
    {
        await _replicas.DisposeAsync();
        await _mail.DisposeAsync();
    }

    [Fact]
    public async Task However_many_people_and_requests_race_for_one_link_one_becomes_a_member()
    {
        var body = Body(await InviteAsync("""{"role":"member"}"""));
        string[] people = ["p0", "p1", "p2", "p3", "p4", "p5"];
        foreach (var person in people)
            await _replicas.UserIdAsync(person);

        var statuses = await Task.WhenAll(people.SelectMany(person => Enumerable.Range(0, 6).Select(number =>
            OidcReplicas.StatusAsync(number % 2 == 0 ? _replicas.One : _replicas.Two, _replicas.TokenOf(person), HttpMethod.Post, Accept, body))));

        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(5, statuses.Count(status => status == HttpStatusCode.Conflict)); // the same person once more
        Assert.Equal(30, statuses.Count(status => status == HttpStatusCode.Gone));
        Assert.Equal(["1|1"], await Database.QueryAsync(
            "SELECT (SELECT count(*) FROM organization_memberships WHERE role = 'member'), (SELECT count(*) FROM invitations WHERE accepted_at IS NOT NULL)"));
    }

    [Fact]
    public async Task Looking_changes_nothing_and_the_table_holds_no_token()
    {
        var link = await InviteAsync("""{"role":"admin"}""");
        Assert.StartsWith("https://oh.example.org/invitations#", link);
        var guest = _replicas.TokenOf("guest");
        for (var time = 0; time < 3; time++)
        {
            var offer = await _replicas.JsonAsync(HttpStatusCode.OK, guest, HttpMethod.Post, Look, Body(link));
            Assert.Equal(("Personal", "admin"), ((string?)offer["organization_name"], (string?)offer["role"]));
        }

        Assert.Empty(await Database.QueryAsync($"SELECT 1 FROM invitations i WHERE i::text LIKE '%{TokenOf(link)}%'"));
        var list = await _replicas.JsonAsync(HttpStatusCode.OK, _admin, HttpMethod.Get, _organization + "/invitations");
        Assert.DoesNotContain(TokenOf(link), list.ToJsonString());
        Assert.Null(Assert.Single(list["items"]!.AsArray())!["accepted_at"]);

        var joined = await _replicas.JsonAsync(HttpStatusCode.OK, guest, HttpMethod.Post, Accept, Body(link));
        Assert.Equal(_organization, $"/api/v1/organizations/{joined["organization_id"]}");
        Assert.Equal("admin", (string?)(await _replicas.JsonAsync(HttpStatusCode.OK, guest, HttpMethod.Get, _organization))["role"]);
        list = await _replicas.JsonAsync(HttpStatusCode.OK, _admin, HttpMethod.Get, _organization + "/invitations");
        Assert.NotNull(list["items"]![0]!["accepted_at"]);
    }

    [Fact]
    public async Task An_invitation_to_an_address_is_mailed_and_good_for_whoever_verified_it()
    {
        var made = await _replicas.JsonAsync(
            HttpStatusCode.Created, _admin, HttpMethod.Post, _organization + "/invitations", """{"role":"member","email":" Carol@Example.org "}""");
        Assert.Equal(("queued", null, "carol@example.org"), ((string?)made["mail"], (string?)made["link"], (string?)made["email"]));
        await Eventually.TrueAsync("the mail came", () => !_mail.Mails.IsEmpty);
        var mail = Assert.Single(_mail.Mails);
        Assert.Contains("To: carol@example.org", mail);
        Assert.Contains("Subject: Join Personal on OpenHands", mail);
        var link = Regex.Match(mail.Replace("=\n", "").Replace("=3D", "="), "https://oh[.]example[.]org/invitations#[0-9A-Za-z]{43}").Value;

        Assert.Equal(HttpStatusCode.Forbidden, await AcceptAsync("mallory", link));
        Assert.Equal(HttpStatusCode.OK, await AcceptAsync("carol", link));
        await Eventually.TrueAsync("it is noted", async () => (await Database.QueryAsync("SELECT mail FROM invitations")).Single() == "sent");
    }

    [Fact]
    public async Task Where_the_mail_server_refuses_the_request_succeeds_and_the_list_says_so()
    {
        _mail.Refuses = true;
        await _replicas.JsonAsync(HttpStatusCode.Created, _admin, HttpMethod.Post, _organization + "/invitations", """{"role":"member","email":"dave@example.org"}""");
        await Eventually.TrueAsync("it is noted", async () => (await Database.QueryAsync("SELECT mail FROM invitations")).Single() == "failed");
        Assert.DoesNotContain(_replicas.One.Log.Entries, entry => entry.Text.Contains("dave@example.org"));
    }

    [Fact]
    public async Task A_revoked_expired_or_used_link_and_one_of_a_removed_admin_is_good_for_nothing()
    {
        var revoked = await InviteAsync("""{"role":"member"}""");
        var list = await _replicas.JsonAsync(HttpStatusCode.OK, _admin, HttpMethod.Get, _organization + "/invitations");
        await _replicas.JsonAsync(HttpStatusCode.NoContent, _admin, HttpMethod.Delete, $"{_organization}/invitations/{list["items"]![0]!["id"]}");
        Assert.Equal(HttpStatusCode.NotFound, await AcceptAsync("guest", revoked));
        await _replicas.JsonAsync(HttpStatusCode.NotFound, _admin, HttpMethod.Delete, $"{_organization}/invitations/{list["items"]![0]!["id"]}");

        var expired = await InviteAsync("""{"role":"member"}""");
        await Database.QueryAsync("UPDATE invitations SET expires_at = now() - interval '1 second'");
        Assert.Equal(HttpStatusCode.Gone, await AcceptAsync("guest", expired));

        var used = await InviteAsync("""{"role":"admin"}""");
        Assert.Equal(HttpStatusCode.OK, await AcceptAsync("second", used));
        Assert.Equal(HttpStatusCode.Gone, await AcceptAsync("guest", used));
        Assert.Equal(HttpStatusCode.Conflict, await AcceptAsync("second", used));

        var ofTheFirst = await InviteAsync("""{"role":"member"}""");
        await _replicas.JsonAsync(HttpStatusCode.NoContent, _replicas.TokenOf("second"), HttpMethod.Delete, $"{_organization}/members/{await _replicas.UserIdAsync("admin")}");
        Assert.Equal(HttpStatusCode.NotFound, await AcceptAsync("guest", ofTheFirst));
    }

    [Fact]
    public async Task Members_and_strangers_neither_make_nor_see_invitations()
    {
        Assert.Equal(HttpStatusCode.OK, await AcceptAsync("member", await InviteAsync("""{"role":"member"}""")));
        foreach (var (person, expected) in new[] { ("member", HttpStatusCode.Forbidden), ("stranger", HttpStatusCode.NotFound) })
        {
            await _replicas.UserIdAsync(person);
            var token = _replicas.TokenOf(person);
            await _replicas.JsonAsync(expected, token, HttpMethod.Get, _organization + "/invitations");
            await _replicas.JsonAsync(expected, token, HttpMethod.Post, _organization + "/invitations", """{"role":"member"}""");
            await _replicas.JsonAsync(expected, token, HttpMethod.Delete, $"{_organization}/invitations/0198c0de000070008000000000000001");
        }
    }

    [Theory]
    [InlineData("""{}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"role":null}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"owner"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"member","more":1}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"role":"member","email":"a@b\u0000"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"member","email":"a@b, c@d"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"member","email":"Bob <bob@example.org>"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"member","email":""}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"member","email":7}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"role":"member","expires_at":"2001-01-01T00:00:00Z"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"role":"member","expires_at":"9999-12-31T23:59:59Z"}""", HttpStatusCode.UnprocessableEntity)]
    public async Task Bad_input_is_refused(string body, HttpStatusCode expected) =>
        await _replicas.JsonAsync(expected, _admin, HttpMethod.Post, _organization + "/invitations", body);

    [Theory]
    [InlineData("""{"token":null}""")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":"\u0000"}""")]
    [InlineData("""{"token":"0123456789012345678901234567890123456789012"}""")]
    public async Task What_is_no_token_is_404(string body)
    {
        foreach (var path in new[] { Look, Accept })
            await _replicas.JsonAsync(HttpStatusCode.NotFound, _admin, HttpMethod.Post, path, body);
    }

    [Fact]
    public async Task The_page_of_the_link_is_open_the_same_for_all_and_reads_the_token_where_no_server_sees_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/invitations") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/html") } } };
        using var page = await _replicas.One.Client.SendAsync(request, Token);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.True(page.Headers.CacheControl?.NoStore);
        var html = await page.Content.ReadAsStringAsync(Token);
        Assert.Contains("location.hash", html);
        Assert.Contains("/auth/login?return_to=%2Finvitations", html);
        Assert.DoesNotContain("innerHTML", html);
    }

    [Fact]
    public async Task Without_a_mail_server_the_link_is_in_the_answer_and_names_the_address_of_the_request()
    {
        await using var local = await ApiHost.StartAsync([$"ConnectionStrings:openhands={Database.App}"]);
        using var organizations = await local.Client.GetAsync("/api/v1/organizations", Token);
        var own = JsonNode.Parse(await organizations.Content.ReadAsStringAsync(Token))!["items"]![0]!["id"];
        using var answer = await local.Client.PostAsync(
            $"/api/v1/organizations/{own}/invitations", new StringContent("""{"role":"member","email":"erin@example.org"}""", System.Text.Encoding.UTF8, "application/json"), Token);
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Token))!;
        Assert.Equal("none", (string?)made["mail"]);
        Assert.StartsWith($"{local.Client.BaseAddress}invitations#", (string?)made["link"]);
        Assert.Empty(_mail.Mails);
    }

    [Theory]
    [InlineData("Mail:From", "Mail:Host=smtp.example.org")]
    [InlineData("Mail:Security", "Mail:Host=smtp.example.org", "Mail:From=oh@example.org", "Mail:UserName=u", "Mail:Security=None")]
    [InlineData("Mail:Port", "Mail:Port=0")]
    [InlineData("Invitations:Lifetime", "Invitations:Lifetime=00:00:01")]
    [InlineData("Invitations:Address", "Invitations:Address=oh.example.org")]
    public async Task Settings_that_cannot_work_stop_the_start(string named, params string[] settings)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync(settings));
        Assert.Contains(named, refused.Message);
    }

    private async Task<string> InviteAsync(string body) =>
        (string)(await _replicas.JsonAsync(HttpStatusCode.Created, _admin, HttpMethod.Post, _organization + "/invitations", body))["link"]!;

    private Task<HttpStatusCode> AcceptAsync(string person, string link) =>
        OidcReplicas.StatusAsync(_replicas.Two, _replicas.TokenOf(person), HttpMethod.Post, Accept, Body(link));

    private static string TokenOf(string link) => link[(link.IndexOf('#', StringComparison.Ordinal) + 1)..];

    private static string Body(string link) => $$"""{"token":"{{TokenOf(link)}}"}""";
}
