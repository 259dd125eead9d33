using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Sessions;

/// <summary>What a request for a session costs the server: reading a kept one, and a change that is committed, beside the least that could do the same.</summary>
internal static class SessionCost
{
    private const int Reads = 19_200;
    private const int Patches = 6_400;

    // The compiler goes over hot code for the first 100,000 requests or so, and its time would count as that of the requests.
    private const int WarmUps = 6;

    /// <summary>Reads one session again and again, which is kept in Redis.</summary>
    public static Task<string> ReadAsync(CancellationToken cancellationToken) => RunAsync(
        "GET of a session kept in Redis, processor time of the API", Reads,
        async (server, sessions, worker) =>
        {
            using var answer = await server.Client.GetAsync(new Uri(sessions[worker], UriKind.Relative), cancellationToken);
            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        },
        cancellationToken);

    /// <summary>Changes sessions, each caller its own.</summary>
    public static Task<string> PatchAsync(CancellationToken cancellationToken) => RunAsync(
        "PATCH of a session, processor time of the API", Patches,
        async (server, sessions, worker) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, sessions[worker])
            {
                Content = new StringContent($$"""{"step":{{worker}}}""", Encoding.UTF8, "application/merge-patch+json"),
                Headers = { { "If-Match", "*" } },
            };
            using var answer = await server.Client.SendAsync(request, cancellationToken);
            answer.EnsureSuccessStatusCode();
        },
        cancellationToken);

    private static async Task<string> RunAsync(
        string title, int operations, Func<SessionServer, string[], int, Task> requestAsync, CancellationToken cancellationToken)
    {
        await using var redis = await BenchmarkRedis.StartAsync(cancellationToken);
        await using var postgres = await BenchmarkDatabase.StartAsync(cancellationToken);
        await using var product = await SessionServer.StartAsync("product", redis, postgres, cancellationToken);
        await using var bare = await SessionServer.StartAsync("bare", redis, postgres, cancellationToken);
        var made = await product.Client.PostAsJsonAsync("/api/v1/api-keys", new { name = "benchmark", scopes = new[] { "sessions:write" } }, cancellationToken);
        var key = (string)(await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonObject>(cancellationToken))!["key"]!;
        product.Use(key);
        bare.Use(key);
        var sessions = new string[64];
        for (var worker = 0; worker < sessions.Length; worker++)
        {
            var session = await product.Client.PostAsJsonAsync("/api/v1/sessions", new { state = new { step = 0, notes = new string('n', 500) } }, cancellationToken);
            sessions[worker] = $"/api/v1/sessions/{(string)(await session.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonObject>(cancellationToken))!["id"]!}";
            using var read = await product.Client.GetAsync(new Uri(sessions[worker], UriKind.Relative), cancellationToken);
            read.EnsureSuccessStatusCode();
        }

        return await new Contest(title, redis, warmUps: WarmUps)
            .Add(Of("OpenHands.Api", product))
            .Add(Of("bare minimal API", bare))
            .RunAsync(cancellationToken);

        Contestant Of(string name, SessionServer server) =>
            Contestant.Parallel(name, operations, worker => requestAsync(server, sessions, worker)) with { Cpu = server.Cpu };
    }
}
