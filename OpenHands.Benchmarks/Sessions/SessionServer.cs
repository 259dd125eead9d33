using System.Diagnostics;
using System.Net.Http.Headers;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Sessions;

/// <summary>A server of sessions in a process of its own, so that its processor time can be told from that of its callers.</summary>
internal sealed class SessionServer : IAsyncDisposable
{
    private readonly Process _process;

    private SessionServer(Process process, Uri address)
    {
        _process = process;
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
    }

    /// <summary>Calls it.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts this very program with the verb <c>serve</c>.</summary>
    /// <param name="kind">`product` or `bare`.</param>
    /// <param name="redis">Its Redis.</param>
    /// <param name="postgres">Its database.</param>
    /// <param name="cancellationToken">Ends the wait for it.</param>
    public static async Task<SessionServer> StartAsync(string kind, BenchmarkRedis redis, BenchmarkDatabase postgres, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["serve", kind])
        {
            RedirectStandardInput = true, // its end tells the server that nobody needs it any more, however this process ends
            RedirectStandardOutput = true,
            Environment =
            {
                ["ConnectionStrings__redis"] = redis.ConnectionString,
                // A busy machine is no lost database.
                ["ConnectionStrings__openhands"] = postgres.App + ";Timeout=30;Command Timeout=30;Internal Command Timeout=30",
                ["ConnectionStrings__secrets"] = "a key ring of the benchmarks, long enough",
                ["Redis__Patience"] = "00:00:30",
                ["RateLimits__Enabled"] = "true",
                ["RateLimits__Policies__user__Limit"] = "1000000",
                ["RateLimits__Policies__api-key__Limit"] = "1000000",
                ["RateLimits__Policies__organization__Limit"] = "1000000",
            },
        };
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (Uri.TryCreate(line, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttp)
                return new SessionServer(process, address);
        }

        throw new InvalidOperationException($"The server {kind} ended before it served.");
    }

    /// <summary>Sends this key from now on.</summary>
    public void Use(string key) => Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

    /// <summary>Its processor time until now.</summary>
    public TimeSpan Cpu()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
