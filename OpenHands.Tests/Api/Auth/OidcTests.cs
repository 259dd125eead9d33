using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;
using OpenHands.Storage.Audit;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Auth;

/// <summary>Logins at an issuer of identities, through two replicas.</summary>
public sealed class OidcTests(DatabaseServer server) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private Issuer _issuer = null!;
    private ApiHost _api = null!;
    private ApiHost _other = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _issuer = await Issuer.StartAsync();
        string[] settings = [$"ConnectionStrings:openhands={_database.App}", .. _issuer.Settings];
        _api = await ApiHost.StartAsync(settings);
        _other = await ApiHost.StartAsync(settings);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _other.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_browser_logs_in_comes_back_to_its_page_and_its_cookie_is_good_at_every_replica()
    {
        using var browser = Browser();
        using (var page = await NavigateAsync(browser, _api.Client.BaseAddress!, "/conversations/x?tab=1"))
        {
            Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
            Assert.Equal("/auth/login?return_to=%2Fconversations%2Fx%3Ftab%3D1", page.Headers.Location?.OriginalString);
        }

        Assert.Equal("/conversations/x?tab=1", await LogInAsync(browser, "/conversations/x?tab=1"));
        foreach (var replica in new[] { _api, _other })
        {
            var me = JsonNode.Parse(await browser.GetStringAsync(new Uri(replica.Client.BaseAddress!, "/api/v1/users/me"), Token))!;
            Assert.Equal(("alice@example.org", "alice"), ((string?)me["email"], (string?)me["display_name"]));
            Assert.Single(me["memberships"]!.AsArray());
            Assert.Equal(
                [$"login|{me["id"]}|{me["id"]}|True"],
                await _database.QueryAsync($"SELECT action, actor, user_id, address IS NOT NULL FROM ({AuditRows.All}) AS e WHERE action = 'login'"));
        }

        Assert.Empty(await _database.QueryAsync("SELECT 1 FROM data_protection_keys WHERE encrypted LIKE '%<key%'"));
        using (await browser.PostAsync(new Uri(_api.Client.BaseAddress!, "/api/logout"), content: null, Token))
        using (var after = await browser.GetAsync(new Uri(_api.Client.BaseAddress!, "/api/v1/users/me"), Token))
            Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task The_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites()
    {
        using var browser = Browser(followsCookies: true, out var cookies);
        await LogInAsync(browser, "/");
        var cookie = Assert.Single(cookies.GetAllCookies(), cookie => cookie.Name == "openhands-session");
        Assert.True(cookie.HttpOnly);

        // With the cookie, from a page of a stranger.
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_api.Client.BaseAddress!, "/api/settings"))
        {
            Content = new StringContent("{}", Encoding.UTF8, "application/json"),
            Headers = { { "Origin", "https://evil.example" } },
        };
        using var answer = await browser.SendAsync(request, Token);
        await Problem.AssertAsync(HttpStatusCode.Forbidden, answer);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    public async Task A_login_leads_back_to_no_other_site(string returnTo)
    {
        using var browser = Browser();
        Assert.Equal("/", await LogInAsync(browser, returnTo));
    }

    [Theory]
    [InlineData("GET", "/api/settings")]
    [InlineData("GET", "/api/options/models")]
    [InlineData("POST", "/api/authenticate")]
    [InlineData("GET", "/assets/index.js")]
    [InlineData("GET", "/api/nothing")]
    [InlineData("GET", "/openapi/v1.json")]
    public async Task Everything_is_closed_to_anonymous_callers(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await _api.Client.SendAsync(request, Token);
        await Problem.AssertAsync(HttpStatusCode.Unauthorized, answer);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    [InlineData("/api/v1/web-client/config")]
    public Task Probes_and_the_configuration_of_the_page_are_open(string path) => Eventually.TrueAsync("it is open", async () =>
    {
        using var answer = await _api.Client.GetAsync(new Uri(path, UriKind.Relative), Token);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
        return answer.StatusCode == HttpStatusCode.OK; // what it depends on may take its time on a busy machine
    });

    [Fact]
    public async Task However_many_first_requests_race_there_is_one_user_with_one_organization()
    {
        var token = _issuer.TokenFor(Issuer.Named("bob"));
        var statuses = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => StatusAsync(number % 2 == 0 ? _api : _other, token)));
        Assert.True(statuses.All(status => status == HttpStatusCode.OK), string.Join('\n', _api.Log.Entries.Select(entry => entry.Text).Take(3)));
        Assert.Equal(["1|1|1"], await _database.QueryAsync(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM organizations), (SELECT count(*) FROM organization_memberships)"));
    }

    [Fact]
    public async Task What_the_issuer_changes_is_taken_over_but_no_address_of_another_user_and_none_unverified()
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_api, _issuer.TokenFor(Issuer.Named("carol"))));
        var renamed = Issuer.Named("carol");
        renamed["name"] = "Carol C.";
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_api, _issuer.TokenFor(renamed)));
        var thief = Issuer.Named("thief");
        thief["email"] = "carol@example.org";
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_api, _issuer.TokenFor(thief)));
        var unverified = Issuer.Named("dave");
        unverified["email_verified"] = false;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_api, _issuer.TokenFor(unverified)));
        Assert.Equal(["Carol C.|carol@example.org", "dave|", "thief|"], await _database.QueryAsync("SELECT display_name, email FROM users ORDER BY 1"));
    }

    [Fact]
    public async Task A_user_who_was_removed_is_refused_everywhere_and_does_not_come_back_as_a_new_one()
    {
        using var browser = Browser();
        await LogInAsync(browser, "/");
        var token = _issuer.TokenFor(_issuer.Person);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_other, token));
        using (var before = await browser.GetAsync(new Uri(_other.Client.BaseAddress!, "/api/v1/users/me"), Token))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        await _database.QueryAsync("DELETE FROM organizations; DELETE FROM users");
        foreach (var replica in new[] { _api, _other })
        {
            await Eventually.TrueAsync("the token is refused", async () => await StatusAsync(replica, token) == HttpStatusCode.Unauthorized);
            await Eventually.TrueAsync("the cookie is refused", async () =>
            {
                using var answer = await browser.GetAsync(new Uri(replica.Client.BaseAddress!, "/api/v1/users/me"), Token);
                return answer.StatusCode == HttpStatusCode.Unauthorized;
            });
        }

        Assert.Equal(["0"], await _database.QueryAsync("SELECT count(*) FROM users"));
    }

    public static TheoryData<string> Forgeries => ["other issuer", "other audience", "expired", "not yet", "other key", "alg none", "public key as secret", "no subject", "no expiry"];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_token_that_is_not_the_issuer_s_own_for_us_and_now_is_refused(string forgery)
    {
        var person = Issuer.Named("mallory");
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        using var otherKey = global::System.Security.Cryptography.RSA.Create(2048);
        if (forgery == "no subject")
            person.Remove("sub");
        var token = forgery switch
        {
            "other issuer" => _issuer.TokenFor(person, token => token.Issuer = "https://evil.example"),
            "other audience" => _issuer.TokenFor(person, token => token.Audience = "somebody-else"),
            "expired" => _issuer.TokenFor(person, token => (token.NotBefore, token.Expires) = (now.AddHours(-2), now.AddHours(-1))),
            "not yet" => _issuer.TokenFor(person, token => (token.NotBefore, token.Expires) = (now.AddHours(1), now.AddHours(2))),
            "other key" => _issuer.TokenFor(person, token => token.SigningCredentials = new SigningCredentials(new RsaSecurityKey(otherKey) { KeyId = "tests" }, SecurityAlgorithms.RsaSha256)),
            "alg none" => _issuer.TokenFor(person, token => token.SigningCredentials = null),
            "public key as secret" => _issuer.TokenFor(person, token => token.SigningCredentials =
                new SigningCredentials(new SymmetricSecurityKey(_issuer.Key.Rsa.ExportSubjectPublicKeyInfo()) { KeyId = "tests" }, SecurityAlgorithms.HmacSha256)),
            "no expiry" => _issuer.TokenFor(person, token => token.Expires = null),
            _ => _issuer.TokenFor(person),
        };
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(_api, token));
        Assert.Equal(["0"], await _database.QueryAsync("SELECT count(*) FROM users"));
    }

    [Fact]
    public async Task A_login_that_the_issuer_refuses_or_that_was_never_begun_ends_on_a_page_that_says_so()
    {
        using var browser = Browser();
        using var answer = await NavigateAsync(browser, _api.Client.BaseAddress!, "/auth/callback?code=x&state=forged");
        Assert.Equal("/auth/failed", answer.Headers.Location?.OriginalString);
        using var page = await NavigateAsync(browser, _api.Client.BaseAddress!, "/auth/failed");
        Assert.Contains("did not succeed", await page.Content.ReadAsStringAsync(Token));
    }

    private static HttpClient Browser() => Browser(followsCookies: true, out _);

    private static HttpClient Browser(bool followsCookies, out CookieContainer cookies)
    {
        cookies = new CookieContainer();
        return new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = followsCookies, CookieContainer = cookies, UseProxy = false });
    }

    private static Task<HttpResponseMessage> NavigateAsync(HttpClient browser, Uri site, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(site, path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return browser.SendAsync(request, Token);
    }

    // From the login over the issuer and back; the last address that the browser is sent to.
    private async Task<string> LogInAsync(HttpClient browser, string returnTo)
    {
        var next = new Uri(_api.Client.BaseAddress!, $"/auth/login?return_to={Uri.EscapeDataString(returnTo)}");
        for (var hop = 0; hop < 3; hop++)
        {
            using var answer = await NavigateAsync(browser, next, next.PathAndQuery);
            Assert.True(answer.StatusCode == HttpStatusCode.Redirect, $"{next}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Token)}");
            if (hop == 2)
            {
                Assert.True(answer.Headers.Location!.OriginalString != "/auth/failed", string.Join('\n', _api.Log.Entries.Select(entry => entry.Text).Take(3)));
                return answer.Headers.Location!.OriginalString;
            }

            next = new Uri(next, answer.Headers.Location!);
        }

        throw new InvalidOperationException("unreachable");
    }

    private static async Task<HttpStatusCode> StatusAsync(ApiHost host, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/organizations");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await host.Client.SendAsync(request, Token);
        return answer.StatusCode;
    }
}
