using System.Diagnostics;
using System.Globalization;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Dashboard;

/// <summary>The whole application as a user runs it, with data that ends with it.</summary>
internal sealed class RunningApplication : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task _reading;

    private RunningApplication(Process process, Task reading, Uri api, Uri? dashboardLink) =>
        (_process, _reading, Api, DashboardLink) = (process, reading, api, dashboardLink);

    /// <summary>Where the API listens.</summary>
    public Uri Api { get; }

    /// <summary>What opens the dashboard, once; null without one.</summary>
    public Uri? DashboardLink { get; }

    /// <summary>Starts it and waits until it is ready, and its dashboard, too.</summary>
    public static async Task<RunningApplication> StartAsync(bool hasDashboard, CancellationToken cancellationToken)
    {
        var api = BenchmarkDatabase.FreePort();
        var start = new ProcessStartInfo("dotnet",
        [
            "run", "-c", "Release", "--project", Checkout.AppHost, "--",
            "--Data:Throwaway=true", $"--Ports:Api={api.ToString(CultureInfo.InvariantCulture)}", $"--Dashboard:Enabled={hasDashboard}",
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["RateLimits__Enabled"] = "false" }, // a benchmark asks more than anybody may
        };
        var process = Process.Start(start)!;
        var (isReady, link) = (false, (Uri?)null);
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Contains("Dashboard: http", StringComparison.Ordinal))
                link = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..].Trim());
            isReady |= line.Contains("OpenHands is ready", StringComparison.Ordinal);
            if (isReady && (link is not null || !hasDashboard))
                return new RunningApplication(process, process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None), new Uri($"http://127.0.0.1:{api}"), link);
        }

        throw new InvalidOperationException("The application ended before it was ready; it says why above.");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(Grace);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _reading;
        _process.Dispose();
    }
}
