using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.RateLimits;

/// <summary>Limits over HTTP, with and without Redis.</summary>
public sealed class RateLimitTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Route = "/api/options/models";

    private RedisDatabase _redis = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _redis = await redisServer.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task Of_a_hundred_calls_at_once_to_two_replicas_ten_are_answered_where_ten_are_allowed()
    {
        await using var one = await StartAsync("RateLimits:Policies:user:Limit=10");
        await using var two = await StartAsync("RateLimits:Policies:user:Limit=10");
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => GetAsync(number % 2 == 0 ? one : two)));
        Assert.Equal(10, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));

        var refused = answers.First(answer => answer.StatusCode != HttpStatusCode.OK);
        var message = await Problem.AssertAsync(HttpStatusCode.TooManyRequests, refused);
        var seconds = refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds;
        Assert.InRange(seconds, 1, 60);
        Assert.Equal($"Too many requests. Please try again in {seconds} s.", message);
        Assert.Equal("\"user\";q=10;w=60", Header(refused, "RateLimit-Policy"));
        Assert.Matches("^\"user\";r=0;t=[0-9]+$", Header(refused, "RateLimit"));
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync(Token)).RootElement;
        Assert.Equal("https://iana.org/assignments/http-problem-types#quota-exceeded", problem.GetProperty("type").GetString());
        Assert.Equal("user", problem.GetProperty("violated-policies")[0].GetString());
    }

    [Fact]
    public async Task A_page_of_the_front_end_may_be_loaded_ten_times_in_a_row_and_probes_are_never_counted()
    {
        await using var api = await StartAsync();
        for (var call = 0; call < 300; call++)
        {
            using var answer = await GetAsync(api, call % 3 == 0 ? Route : "/alive");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(call % 3 == 0, answer.Headers.Contains("RateLimit"));
        }
    }

    [Fact]
    public async Task A_person_at_this_machine_is_not_limited_unless_it_is_wanted()
    {
        await using var api = await ApiHost.StartAsync([$"ConnectionStrings:redis={_redis.ConnectionString}", "RateLimits:Enabled="]);
        using var answer = await GetAsync(api);
        Assert.False(answer.Headers.Contains("RateLimit"));
    }

    [Fact]
    public async Task What_makes_more_work_costs_more()
    {
        await using var api = await StartAsync("RateLimits:Policies:user:Limit=12");
        using (await GetAsync(api))
        {
        }

        using var answer = await api.Client.PostAsync(new Uri("/api/v1/organizations", UriKind.Relative), null, Token);
        Assert.Contains(";r=6;", Header(answer, "RateLimit"));
    }

    [Fact]
    public async Task A_policy_that_only_watches_is_not_told_and_refuses_nothing()
    {
        await using var api = await StartAsync("RateLimits:Policies:user:Limit=10", "RateLimits:Policies:user:Shadow=true");
        for (var call = 0; call < 15; call++)
        {
            using var answer = await GetAsync(api);
            Assert.Equal((HttpStatusCode.OK, false), (answer.StatusCode, answer.Headers.Contains("RateLimit-Policy")));
        }
    }

    [Fact]
    public async Task Policies_of_ones_own_hold_beside_those_that_are_there()
    {
        await using var api = await StartAsync("RateLimits:Policies:burst:By=User", "RateLimits:Policies:burst:Limit=20", "RateLimits:Policies:burst:Window=00:00:02");
        using var answer = await GetAsync(api);
        Assert.Equal(["\"burst\";q=20;w=2", "\"user\";q=1200;w=60"], Header(answer, "RateLimit-Policy").Split(", ").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("RateLimits:Policies:user:Limit=3")]
    [InlineData("RateLimits:Policies:user:Window=00:00:00.5")]
    [InlineData("RateLimits:Policies:Wrong Name:Limit=100")]
    [InlineData("RateLimits:Policies:user:Routes=Authentication")]
    public void A_policy_that_is_not_possible_is_named_on_start(string setting) => Assert.Contains(
        "is not possible", Assert.Throws<OptionsValidationException>(() => ApiHost.Build(["RateLimits:Enabled=true", setting])).Message);

    [Fact]
    public async Task Without_Redis_calls_are_limited_by_the_process_and_none_fails()
    {
        using var closed = new ClosedPort();
        await using var api = await ApiHost.StartAsync(
            ["RateLimits:Enabled=true", "RateLimits:Policies:user:Limit=10", $"ConnectionStrings:redis=127.0.0.1:{closed.Number},connectTimeout=100"]);
        var answers = new List<HttpResponseMessage>();
        for (var call = 0; call < 20; call++)
            answers.Add(await GetAsync(api));
        Assert.Equal(
            Enumerable.Repeat(HttpStatusCode.OK, 10).Concat(Enumerable.Repeat(HttpStatusCode.TooManyRequests, 10)), answers.Select(answer => answer.StatusCode));
        await Problem.AssertAsync(HttpStatusCode.TooManyRequests, answers[^1]);
        Assert.Contains("#temporary-reduced-capacity", await answers[^1].Content.ReadAsStringAsync(Token));
        Assert.NotNull(answers[^1].Headers.RetryAfter);
    }

    [Fact]
    public async Task A_login_is_counted_by_address_and_closed_without_Redis()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var api = await ApiHost.StartAsync(
            [.. issuer.Settings, "RateLimits:Enabled=", $"ConnectionStrings:openhands={fixture.Database.App}", $"ConnectionStrings:redis={_redis.ConnectionString}"]);
        using (var login = await GetAsync(api, "/auth/login"))
            Assert.Equal((HttpStatusCode.Redirect, "\"login\";q=100;w=60"), (login.StatusCode, Header(login, "RateLimit-Policy")));
        using (var unknown = await GetAsync(api))
            Assert.Equal((HttpStatusCode.Unauthorized, "\"address\";q=300;w=60"), (unknown.StatusCode, Header(unknown, "RateLimit-Policy")));

        using var closed = new ClosedPort();
        await using var cutOff = await ApiHost.StartAsync(
            [.. issuer.Settings, "RateLimits:Enabled=", $"ConnectionStrings:redis=127.0.0.1:{closed.Number},connectTimeout=100"]);
        using var refused = await GetAsync(cutOff, "/auth/login");
        Assert.Equal("Nobody can log in at the moment. Please try again in 5 s.", await Problem.AssertAsync(HttpStatusCode.ServiceUnavailable, refused));
        Assert.Equal(5, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
    }

    private Task<ApiHost> StartAsync(params string[] settings) =>
        ApiHost.StartAsync([$"ConnectionStrings:redis={_redis.ConnectionString}", "RateLimits:Enabled=true", .. settings]);

    private static Task<HttpResponseMessage> GetAsync(ApiHost api, string path = Route) => api.Client.GetAsync(new Uri(path, UriKind.Relative), Token);

    private static string Header(HttpResponseMessage answer, string name) => Assert.Single(answer.Headers.GetValues(name));
}
