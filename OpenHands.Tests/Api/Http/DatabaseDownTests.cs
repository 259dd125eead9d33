using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Http;

public sealed class DatabaseDownTests : IDisposable
{
    private const string Password = "pw-that-nobody-may-see";

    private const int Attempts = 10;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    private readonly ClosedPort _nobody = new();

    public void Dispose() => _nobody.Dispose();

    [Fact]
    public async Task Where_postgres_is_down_a_request_that_needs_it_is_503_soon_and_says_when_to_come_back() =>
        await Assert503SoonAsync(_nobody.Number);

    [Fact]
    public async Task Where_postgres_accepts_but_never_answers_it_is_the_same()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // the operating system accepts, nobody reads
        await Assert503SoonAsync(((IPEndPoint)silent.LocalEndpoint).Port);
    }

    [Fact]
    public async Task Without_postgres_and_redis_it_starts_is_alive_and_not_ready()
    {
        await using var api = await StartAsync(_nobody.Number);
        using var alive = await api.Client.GetAsync("/alive", TestContext.Current.CancellationToken);
        using var ready = await api.Client.GetAsync("/health", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
    }

    [Fact]
    public async Task Without_postgres_what_does_not_need_it_still_answers()
    {
        await using var api = await StartAsync(_nobody.Number);
        using var response = await api.Client.GetAsync("/api/options/models", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    // Settings are what the front end asks for first, and where it takes a 404 for "nothing stored".
    private async Task Assert503SoonAsync(int postgresPort)
    {
        await using var api = await StartAsync(postgresPort);
        await Assert503SoonAsync(api, HttpMethod.Get, () => null);
        await Assert503SoonAsync(api, HttpMethod.Post, () => new StringContent("""{"language":"en"}""", Encoding.UTF8, "application/json"));
        Assert.Contains(api.Log.Entries, entry => entry.Level == LogLevel.Warning && entry.Text.Contains("PostgreSQL cannot be used"));
        Assert.DoesNotContain(api.Log.Entries, entry => entry.Text.Contains(Password));
    }

    // A busy machine makes any one answer late. Where one comes in time, nothing in its way waits longer than that.
    private static async Task Assert503SoonAsync(ApiHost api, HttpMethod method, Func<HttpContent?> body)
    {
        var soonest = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < Attempts && soonest >= Soon; attempt++)
        {
            using var request = new HttpRequestMessage(method, "/api/settings") { Content = body() };
            var started = Stopwatch.GetTimestamp();
            using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var took = Stopwatch.GetElapsedTime(started);

            Assert.DoesNotContain(Password, await Problem.AssertAsync(HttpStatusCode.ServiceUnavailable, response));
            Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter?.Delta);
            soonest = took < soonest ? took : soonest;
        }

        Assert.True(soonest < Soon, $"The soonest of {Attempts} answers to {method} took {soonest}.");
    }

    private Task<ApiHost> StartAsync(int postgresPort) => ApiHost.StartAsync(
    [
        $"ConnectionStrings:openhands=Host=127.0.0.1;Port={postgresPort};Username=openhands_app;Password={Password};Database=openhands",
        $"ConnectionStrings:redis=127.0.0.1:{_nobody.Number}",
    ]);
}
