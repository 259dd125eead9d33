using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using OpenHands.Api.Auth;
using OpenHands.Storage.ApiKeys;
using OpenHands.Tests.Api.Authorization;
using OpenHands.Tests.Support;
using OpenHands.Tests.Support.OpenApi;

namespace OpenHands.Tests.Api.Http;

/// <summary>Every route there is while PostgreSQL is down, for a caller without a login, with a token and with a key.</summary>
public sealed class DatabaseDownRoutesTests : IDisposable
{
    // The promise is 2 s; a machine that runs several suites at once is given more.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ClosedPort _nobody = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _nobody.Dispose();

    [Fact]
    public async Task Without_a_login_every_route_that_needs_it_is_503_with_the_time_to_come_back()
    {
        await using var api = await StartAsync([]);
        await Assert503Async(api, caller: null, route => route.Area is not null);
    }

    [Fact]
    public async Task So_is_every_route_to_a_caller_with_a_token_or_a_key_who_cannot_be_looked_up()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var api = await StartAsync(issuer.Settings);
        foreach (var caller in new[] { issuer.TokenFor(Issuer.Named("alice")), ApiKeyText.New() })
            await Assert503Async(api, new AuthenticationHeaderValue("Bearer", caller), route => route.Callers != Callers.Anyone);
    }

    [Fact]
    public async Task So_is_the_beginning_of_a_login_since_its_keys_are_there()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var api = await StartAsync(issuer.Settings);
        using var answer = await api.Client.GetAsync(new Uri("/auth/login", UriKind.Relative), Token);
        await Problem.AssertAsync(HttpStatusCode.ServiceUnavailable, answer);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    private static async Task Assert503Async(ApiHost api, AuthenticationHeaderValue? caller, Func<Route, bool> needsIt)
    {
        // Described by one that needs no database to be asked.
        await using var local = await ApiHost.StartAsync([]);
        var description = await ApiDescription.ReadAsync(local.Client);
        var samples = new SampleBody(description, LocalUser.Id);
        var wrong = new List<string>();
        foreach (var route in Route.All(api.Services))
        {
            using var request = new HttpRequestMessage(new HttpMethod(route.Method), route.Address(Value)) { Headers = { Authorization = caller } };
            request.Headers.TryAddWithoutValidation("If-Match", "*");
            request.Headers.TryAddWithoutValidation("Idempotency-Key", "key-1");
            var operation = description.Operations.SingleOrDefault(operation => (operation.Method, operation.Path) == (route.Method, route.Path));
            if (operation?.Body is { MediaType: var mediaType })
                request.Content = new StringContent(samples.For(operation)?.ToJsonString() ?? "null", Encoding.UTF8, mediaType);
            var started = Stopwatch.GetTimestamp();
            using var answer = await api.Client.SendAsync(request, Token);
            var took = Stopwatch.GetElapsedTime(started);
            if (needsIt(route) ? answer.StatusCode != HttpStatusCode.ServiceUnavailable || answer.Headers.RetryAfter is null : (int)answer.StatusCode is >= 500 and not 503)
                wrong.Add($"{route}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Token)}");
            else if (took > Patience)
                wrong.Add($"{route}: took {took}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static string Value(string parameter) => parameter switch
    {
        "name" => "A",
        "version" => "1",
        _ => LocalUser.Id,
    };

    private Task<ApiHost> StartAsync(string[] settings) => ApiHost.StartAsync(
    [
        $"ConnectionStrings:openhands=Host=127.0.0.1;Port={_nobody.Number};Username=openhands_app;Password=pw;Database=openhands",
        $"ConnectionStrings:redis=127.0.0.1:{_nobody.Number}", .. settings,
    ]);
}
