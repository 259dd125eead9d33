using System.Globalization;
using System.Text;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Dashboard;

/// <summary>
/// What the dashboard costs: how many requests the API answers while nothing watches it, while the dashboard runs, and while a browser has its
/// traces open. Two whole applications run beside each other and are asked in turns, so that what else the machine does falls on both alike.
/// </summary>
internal static class DashboardCost
{
    private const int Turns = 9;
    private const int Connections = 8;

    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(4);

    /// <summary>Measures it.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        await using var plain = await RunningApplication.StartAsync(hasDashboard: false, cancellationToken);
        await using var watched = await RunningApplication.StartAsync(hasDashboard: true, cancellationToken);
        await using var browser = await Browser.StartAsync(cancellationToken);
        await browser.CloseAsync(await browser.OpenAsync(watched.DashboardLink!, cancellationToken), cancellationToken); // it has the cookie from here on
        var traces = new Uri(watched.DashboardLink!, "/traces");
        var (without, closed, open) = (new List<double>(), new List<double>(), new List<double>());
        for (var turn = 0; turn <= Turns; turn++)
        {
            var first = await AskAsync(plain, cancellationToken);
            var second = await AskAsync(watched, cancellationToken);
            var page = await browser.OpenAsync(traces, cancellationToken);
            var third = await AskAsync(watched, cancellationToken);
            await browser.CloseAsync(page, cancellationToken);
            if (turn == 0)
                continue; // warms up
            without.Add(first);
            closed.Add(second);
            open.Add(third);
        }

        return new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"Answers of the API in a second, {Connections} callers: median (range of {Turns})\n")
            .Append(CultureInfo.InvariantCulture, $"{"without a dashboard",-32}{Spread.Of(without).ToString("F0")}\n")
            .Append(CultureInfo.InvariantCulture, $"{"with one, nobody looks",-32}{Spread.Of(closed).ToString("F0")}\n")
            .Append(CultureInfo.InvariantCulture, $"{"with one, its traces are open",-32}{Spread.Of(open).ToString("F0")}\n")
            .ToString();
    }

    private static async Task<double> AskAsync(RunningApplication application, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = application.Api };
        var (answers, started) = (0, TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (TimeProvider.System.GetElapsedTime(started) < Turn)
            {
                using var answer = await client.GetAsync(new Uri("/api/v1/users/me", UriKind.Relative), cancellationToken);
                answer.EnsureSuccessStatusCode();
                Interlocked.Increment(ref answers);
            }
        }));
        return answers / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
    }
}
