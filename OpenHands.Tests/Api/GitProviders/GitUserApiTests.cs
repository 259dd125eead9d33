using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.GitProviders;

/// <summary>Who the caller is at a git provider, which stands here on the loopback interface: only the option lets it be asked.</summary>
public sealed class GitUserApiTests(DatabaseServer server) : IAsyncLifetime
{
    private const string Canary = "ghp_0123456789canary";

    private string _database = "";
    private ApiHost _api = null!;
    private FakeGitProvider _provider = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = (await server.CreateMigratedAsync()).App;
        _provider = await FakeGitProvider.StartAsync();
        _api = await StartAsync("GitProviders:AllowPrivateHosts=true");
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Theory]
    [InlineData("github", "/api/v3/user", "Bearer t.k", """{"id":7,"login":"octo","avatar_url":"https://a/o.png","company":"Acme","name":"Octo Cat","email":"o@example.org","x":[]}""",
        """{"id":"7","login":"octo","avatar_url":"https://a/o.png","company":"Acme","name":"Octo Cat","email":"o@example.org"}""")]
    [InlineData("gitlab", "/api/v4/user", "Bearer t.k", """{"id":8,"username":"tanuki","avatar_url":null,"organization":"Acme","name":"Ta Nuki","email":"t@example.org"}""",
        """{"id":"8","login":"tanuki","avatar_url":"","company":"Acme","name":"Ta Nuki","email":"t@example.org"}""")]
    [InlineData("bitbucket", "/2.0/user", "Bearer t.k", """{"account_id":"b:1","username":"bit","display_name":"Bit","links":{"avatar":{"href":"https://a/b.png"}}}""",
        """{"id":"b:1","login":"bit","avatar_url":"https://a/b.png","company":null,"name":"Bit","email":null}""")]
    [InlineData("azure_devops", "/_apis/connectionData?api-version=7.1-preview.1", "Basic OnQuaw==", """{"authenticatedUser":{"id":"a-1","providerDisplayName":"Az Ure"}}""",
        """{"id":"a-1","login":"Az Ure","avatar_url":"","company":null,"name":"Az Ure","email":null}""")]
    [InlineData("forgejo", "/api/v1/user", "token t.k", """{"id":9,"login":"forge","avatar_url":"javascript:alert(1)","full_name":"For Ge","email":""}""",
        """{"id":"9","login":"forge","avatar_url":"","company":null,"name":"For Ge","email":null}""")]
    public async Task Each_provider_is_asked_its_own_way_and_answers_become_one(string provider, string path, string authorization, string answer, string expected)
    {
        _provider.AnswerAsync = context => context.Response.WriteAsync(answer);
        await ConnectAsync(provider, "t.k");
        _provider.Asked.Clear();

        var user = await _api.Client.GetFromJsonAsync<JsonNode>("/api/user/info", Token);

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), user), user?.ToJsonString());
        var asked = Assert.Single(_provider.Asked);
        Assert.Equal((path, authorization, "OpenHands"), (asked.Path, asked.Authorization, asked.UserAgent));
        Assert.DoesNotContain("traceparent", asked.Headers, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Without_a_provider_it_is_404_with_what_to_do() =>
        Assert.Contains("Connect one", await InfoAsync(HttpStatusCode.NotFound), StringComparison.Ordinal);

    [Fact]
    public async Task A_token_that_the_provider_refuses_is_not_stored()
    {
        _provider.AnswerAsync = StatusAsync(401);
        using (var refused = await PostAsync("gitlab", Canary))
            Assert.Contains("GitLab", await Problem.AssertAsync(HttpStatusCode.Unauthorized, refused), StringComparison.Ordinal);
        await InfoAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_stored_token_is_asked_about_again_at_a_new_host_alone()
    {
        _provider.AnswerAsync = UserAsync;
        await ConnectAsync("gitlab", Canary);
        await ConnectAsync("gitlab", "");
        Assert.Single(_provider.Asked);

        await using var elsewhere = await FakeGitProvider.StartAsync();
        elsewhere.AnswerAsync = StatusAsync(401);
        using (var refused = await PostAsync("gitlab", "", elsewhere.Host))
            await Problem.AssertAsync(HttpStatusCode.Unauthorized, refused);
        Assert.Equal($"Bearer {Canary}", Assert.Single(elsewhere.Asked).Authorization);

        // Its host is still the former one.
        await _api.Client.GetFromJsonAsync<JsonNode>("/api/user/info", Token);
        Assert.Equal((2, 1), (_provider.Asked.Count, elsewhere.Asked.Count));
    }

    [Fact]
    public async Task A_token_that_was_revoked_later_is_told_401_and_another_provider_is_asked_then()
    {
        _provider.AnswerAsync = context => $"{context.Request.Path}" == "/api/v3/user" ? StatusAsync(403)(context) : UserAsync(context);
        await using (var never = await StartAsync("GitProviders:Enabled=false"))
        {
            using var stored = await never.Client.PostAsJsonAsync("/api/add-git-providers", Tokens(("github", Canary), ("enterprise_sso", Canary)), Token);
            Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
            Assert.Contains("GitProviders:Enabled", await InfoAsync(HttpStatusCode.FailedDependency, never), StringComparison.Ordinal);
        }

        Assert.Contains("GitHub", await InfoAsync(HttpStatusCode.Unauthorized), StringComparison.Ordinal);
        using (var both = await _api.Client.PostAsJsonAsync("/api/add-git-providers", Tokens(("github", ""), ("gitlab", "other")), Token))
            Assert.Equal(HttpStatusCode.OK, both.StatusCode);
        Assert.Equal("octo", (string?)(await _api.Client.GetFromJsonAsync<JsonNode>("/api/user/info", Token))!["login"]);
    }

    [Fact]
    public async Task Whatever_else_a_host_answers_is_424_and_never_a_fault_of_this_server()
    {
        var redirects = 0;
        (string What, Func<HttpContext, Task> Answer)[] answers =
        [
            ("a fault", StatusAsync(500)), ("nothing there", StatusAsync(404)), ("no JSON", context => context.Response.WriteAsync("<html>")),
            ("another JSON", context => context.Response.WriteAsync("""{"id":{},"login":[]}""")), ("a list", context => context.Response.WriteAsync("[]")),
            ("half a pair", context => context.Response.WriteAsync("""{"id":1,"login":"\ud800"}""")), ("deep", context => context.Response.WriteAsync(new string('[', 10_000))),
            ("too much", context => context.Response.WriteAsync($$"""{"id":1,"login":"a","x":"{{new string('x', 300_000)}}"}""")),
            ("the end", context => { context.Abort(); return Task.CompletedTask; }),
            ("a way elsewhere", context => { redirects++; context.Response.Redirect("/other"); return Task.CompletedTask; }),
        ];
        foreach (var (what, answer) in answers)
        {
            _provider.AnswerAsync = answer;
            await ConnectAsync("gitlab", Canary); // it does not say that the token is bad
            Assert.DoesNotContain(Canary, await InfoAsync(HttpStatusCode.FailedDependency, what: what), StringComparison.Ordinal);
        }

        Assert.Equal(2, redirects);
        Assert.DoesNotContain(_provider.Asked, asked => asked.Path == "/other");
    }

    [Fact]
    public async Task A_host_that_does_not_answer_is_given_up()
    {
        using var end = new CancellationTokenSource();
        await using var impatient = await StartAsync("GitProviders:AllowPrivateHosts=true", "GitProviders:Timeout=00:00:01");
        _provider.AnswerAsync = async context =>
        {
            await using var registration = end.Token.Register(context.Abort);
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        };
        await ConnectAsync("gitlab", Canary, api: impatient);
        Assert.Contains("did not answer", await InfoAsync(HttpStatusCode.FailedDependency, impatient), StringComparison.Ordinal);
        await end.CancelAsync();
    }

    [Fact]
    public async Task A_private_host_is_not_connected_to_unless_an_operator_allows_it()
    {
        _provider.AnswerAsync = UserAsync;
        await using var guarded = await StartAsync();
        var port = new Uri(_provider.Host).Port;
        string[] hosts =
        [
            _provider.Host, $"https://127.0.0.1:{port}", $"localhost:{port}", $"http://localhost:{port}", $"[::1]:{port}", $"http://[::ffff:127.0.0.1]:{port}", $"http://2130706433:{port}",
            $"http://0x7f.1:{port}", $"http://0.0.0.0:{port}", "169.254.169.254", "http://169.254.169.254/latest/meta-data", "10.0.0.1", "[fe80::1]", "user@git.example.org",
        ];
        foreach (var host in hosts)
        {
            await ConnectAsync("gitlab", Canary, host, guarded);
            Assert.Contains("AllowPrivateHosts", await InfoAsync(HttpStatusCode.UnprocessableEntity, guarded, host), StringComparison.Ordinal);
        }

        Assert.Empty(_provider.Asked);
    }

    [Fact]
    public async Task Even_then_no_address_of_the_link_is_connected_to_and_none_of_the_open_network_in_clear()
    {
        foreach (var host in new[] { "http://169.254.169.254", "169.254.169.254", "http://0.0.0.0", "http://140.82.121.6" })
        {
            await ConnectAsync("gitlab", Canary, host);
            await InfoAsync(HttpStatusCode.UnprocessableEntity, what: host);
        }
    }

    [Fact]
    public async Task A_token_is_in_no_log_of_any_level()
    {
        await using var talkative = await StartAsync("GitProviders:AllowPrivateHosts=true", "Logging:LogLevel:Default=Trace", "Logging:LogLevel:System=Trace", "Logging:LogLevel:Microsoft=Trace");
        foreach (var answer in new[] { UserAsync, StatusAsync(500), StatusAsync(401) })
        {
            _provider.AnswerAsync = answer;
            (await PostAsync("gitlab", Canary, api: talkative)).Dispose();
            (await talkative.Client.GetAsync(new Uri("/api/user/info", UriKind.Relative), Token)).Dispose();
        }

        Assert.Contains(talkative.Log.Entries, entry => entry.Text.Contains("gitlab did not say whose a token is: TokenRefused (status 401)", StringComparison.Ordinal));
        Assert.DoesNotContain(talkative.Log.Entries, entry => entry.Text.Contains(Canary, StringComparison.Ordinal));
    }

    private Task<ApiHost> StartAsync(params string[] settings) =>
        ApiHost.StartAsync([$"ConnectionStrings:openhands={_database}", "GitProviders:Enabled=true", .. settings]);

    private static Func<HttpContext, Task> StatusAsync(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private static Task UserAsync(HttpContext context) => context.Response.WriteAsync("""{"id":1,"username":"octo","login":"octo"}""");

    private object Tokens(params (string Provider, string Token)[] tokens) =>
        new { provider_tokens = tokens.ToDictionary(each => each.Provider, each => new { token = each.Token, host = _provider.Host }) };

    private Task<HttpResponseMessage> PostAsync(string provider, string token, string? host = null, ApiHost? api = null) => (api ?? _api).Client.PostAsJsonAsync(
        "/api/add-git-providers", new { provider_tokens = new Dictionary<string, object> { [provider] = new { token, host = host ?? _provider.Host } } }, Token);

    private async Task ConnectAsync(string provider, string token, string? host = null, ApiHost? api = null)
    {
        using var saved = await PostAsync(provider, token, host, api);
        Assert.True(saved.StatusCode == HttpStatusCode.OK, $"{host}: {await saved.Content.ReadAsStringAsync(Token)}");
    }

    private async Task<string> InfoAsync(HttpStatusCode expected, ApiHost? api = null, string what = "")
    {
        using var answer = await (api ?? _api).Client.GetAsync(new Uri("/api/user/info", UriKind.Relative), Token);
        Assert.True(answer.StatusCode == expected, $"{what}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Token)}");
        return await Problem.AssertAsync(expected, answer);
    }
}
