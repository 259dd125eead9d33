using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OpenHands.Benchmarks.Dashboard;

/// <summary>A Chromium without a screen, told over its DevTools endpoints which page to open.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Listening = "DevTools listening on ";

    private static readonly string[] Programs = ["chromium-headless-shell", "chromium", "google-chrome", "chromium-browser"];
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(4);

    private readonly Process _process;
    private readonly DirectoryInfo _profile;
    private readonly HttpClient _client;

    private Browser(Process process, DirectoryInfo profile, Uri address)
    {
        (_process, _profile) = (process, profile);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
    }

    /// <summary>Starts it without a page.</summary>
    /// <exception cref="InvalidOperationException">No Chromium is installed.</exception>
    public static async Task<Browser> StartAsync(CancellationToken cancellationToken)
    {
        var profile = Directory.CreateTempSubdirectory("openhands-benchmark-");
        var process = Programs.Select(program => Start(program, profile.FullName)).FirstOrDefault(started => started is not null)
            ?? throw new InvalidOperationException($"Install one of these, for a page that is open: {string.Join(", ", Programs)}.");
        while (await process.StandardError.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.StartsWith(Listening, StringComparison.Ordinal))
                continue;
            _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            return new Browser(process, profile, new UriBuilder(line[Listening.Length..]) { Scheme = "http", Path = "/" }.Uri);
        }

        throw new InvalidOperationException("The browser ended before it listened.");
    }

    /// <summary>Opens a page and gives it time to be drawn.</summary>
    /// <returns>What <see cref="CloseAsync"/> takes.</returns>
    public async Task<string> OpenAsync(Uri page, CancellationToken cancellationToken)
    {
        using var answer = await _client.PutAsync(new Uri($"json/new?{page.AbsoluteUri}", UriKind.Relative), content: null, cancellationToken);
        answer.EnsureSuccessStatusCode();
        await Task.Delay(Settling, TimeProvider.System, cancellationToken);
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken))!["id"]!;
    }

    /// <summary>Closes a page.</summary>
    public async Task CloseAsync(string id, CancellationToken cancellationToken)
    {
        using var answer = await _client.GetAsync(new Uri($"json/close/{id}", UriKind.Relative), cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (_profile.Exists)
            _profile.Delete(recursive: true);
    }

    private static Process? Start(string program, string profile)
    {
        try
        {
            var process = Process.Start(new ProcessStartInfo(program,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
                $"--user-data-dir={profile}", "about:blank",
            ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.BeginOutputReadLine();
            return process;
        }
        catch (Win32Exception)
        {
            return null; // not installed
        }
    }
}
