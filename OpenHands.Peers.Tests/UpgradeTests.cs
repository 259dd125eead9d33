using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Aspire.Hosting.Testing;
using Npgsql;
using OpenHands.Tests.Application;
using OpenHands.Tests.Support;

namespace OpenHands.Peers.Tests;

/// <summary>
/// The upgrade contract: the API and the worker of an earlier schema serve on while this commit's migrations run, beside this
/// commit's, and once more alone after a downgrade. .ci/peers builds the last commit before the newest migration and names its
/// folder in PREVIOUS_BUILD.
/// </summary>
public sealed class UpgradeTests(ApplicationFixture fixture)
{
    private const string Database = "upgrade";
    private const int Operations = 30;

    private static readonly string Here = Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!;

    private readonly ConcurrentQueue<string> _failures = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_API_of_an_older_schema_serves_before_while_beside_and_after_this_one()
    {
        var previous = Environment.GetEnvironmentVariable("PREVIOUS_BUILD")
            ?? throw new InvalidOperationException("Set PREVIOUS_BUILD to a checkout of a commit with an older schema in which OpenHands.Api and OpenHands.Worker are built; .ci/peers does it.");
        var settings = await SettingsAsync();
        await MigrateAsync(previous, settings);
        using var old = await StartAsync(previous, settings);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var load = new[] { UseAsync(old.Address, "old-a", stop.Token), UseAsync(old.Address, "old-b", stop.Token) };
        var before = await MigrationsAsync(settings);
        await MigrateAsync(Here, settings);
        Assert.NotEmpty((await MigrationsAsync(settings)).Except(before)); // else nothing was tried
        var marks = load.Select(user => user.Count).ToList();
        // What the previous release cannot read is not written while it runs: docs/operations.md.
        using var current = await StartAsync(Here, [.. settings, "--Secrets:TenantKeys=false"]);
        var beside = UseAsync(current.Address, "new", stop.Token);
        await Eventually.TrueAsync("both serve", () => !_failures.IsEmpty || (beside.Count >= Operations && load.Zip(marks).All(user => user.First.Count >= user.Second + Operations)));

        // Each reads what the other has written.
        Assert.Equal(await SessionsAsync(old.Address), await SessionsAsync(current.Address));
        await SaveSettingsAsync(current.Address, "set by the new one");
        Assert.Equal("set by the new one", await AgentAsync(old.Address));

        current.Process.Kill();
        var downgraded = load[0].Count;
        await Eventually.TrueAsync("the previous one serves alone", () => !_failures.IsEmpty || load[0].Count >= downgraded + Operations);

        // One that starts anew on the newer schema, as a downgrade does.
        using var again = await StartAsync(previous, settings);
        var downgradedAgain = UseAsync(again.Address, "again", stop.Token);
        await Eventually.TrueAsync("a fresh one of the older schema serves", () => !_failures.IsEmpty || downgradedAgain.Count >= Operations);
        await stop.CancelAsync();
        await downgradedAgain.Ended;
        await Task.WhenAll([beside.Ended, .. load.Select(user => user.Ended)]);
        // Requests under way while it was killed are its own.
        Assert.DoesNotContain(_failures, failure => !failure.StartsWith("new", StringComparison.Ordinal) || !failure.Contains("HttpRequestException", StringComparison.Ordinal));
        Assert.Equal("set by the new one", await AgentAsync(old.Address));
    }

    private async Task<string[]> SettingsAsync()
    {
        var application = await fixture.ApplicationAsync();
        var key = new string('k', 43);
        return
        [
            .. await Task.WhenAll(new[] { ("openhands", "openhands-admin"), ("openhands-app", "openhands"), ("openhands-system", "openhands-system") }.Select(async names =>
                $"--ConnectionStrings:{names.Item2}={new NpgsqlConnectionStringBuilder(await application.GetConnectionStringAsync(names.Item1, Cancelled)) { Database = Database }.ConnectionString}")),
            $"--ConnectionStrings:redis={await application.GetConnectionStringAsync("redis", Cancelled)},defaultDatabase=7", $"--ConnectionStrings:secrets={key}",
        ];
    }

    private static async Task MigrateAsync(string build, string[] settings) =>
        await Peer.RunAsync("dotnet", ["exec", Dll(build, "OpenHands.Worker"), "migrate", .. settings]);

    private static async Task<IReadOnlyList<string>> MigrationsAsync(string[] settings)
    {
        const string Admin = "--ConnectionStrings:openhands-admin=";
        await using var connection = new NpgsqlConnection(settings.Single(setting => setting.StartsWith(Admin, StringComparison.Ordinal))[Admin.Length..]);
        await connection.OpenAsync(Cancelled);
        await using var select = new NpgsqlCommand("""SELECT migration_id FROM "__EFMigrationsHistory" """, connection);
        await using var rows = await select.ExecuteReaderAsync(Cancelled);
        var migrations = new List<string>();
        while (await rows.ReadAsync(Cancelled))
            migrations.Add(rows.GetString(0));
        return migrations;
    }

    private static async Task<RunningApi> StartAsync(string build, string[] settings)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Dll(build, "OpenHands.Api"), .. settings, $"--urls={address}", "--Logging:LogLevel:Default=Warning"]))!;
        using var client = new HttpClient { BaseAddress = address };
        await Eventually.TrueAsync($"the API of {build} is healthy", async () =>
        {
            Assert.False(process.HasExited, $"The API of {build} ended.");
            try
            {
                using var answer = await client.GetAsync(new Uri("/health", UriKind.Relative), Cancelled);
                return answer.StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        return new RunningApi(process, address);
    }

    private Load UseAsync(Uri address, string name, CancellationToken stop)
    {
        var load = new Load();
        load.Ended = Task.Run(async () =>
        {
            using var client = new HttpClient { BaseAddress = address };
            while (!stop.IsCancellationRequested)
            {
                var suffix = string.Create(CultureInfo.InvariantCulture, $"{name}-{load.Count}");
                await TryAsync(client, name, HttpMethod.Post, "/api/secrets", $$"""{"name":"S-{{suffix}}","value":"v","description":"d"}""");
                await TryAsync(client, name, HttpMethod.Post, "/api/settings", """{"llm_model":"m","llm_api_key":"sk-a","language":"en"}""");
                await TryAsync(client, name, HttpMethod.Get, "/api/settings", null);
                await TryAsync(client, name, HttpMethod.Post, "/api/v1/sessions", """{"state":{"step":1}}""");
                await TryAsync(client, name, HttpMethod.Get, "/api/secrets", null);
                load.Count++;
            }
        }, CancellationToken.None);
        return load;
    }

    private async Task TryAsync(HttpClient client, string name, HttpMethod method, string path, string? body)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            if (body is not null)
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await client.SendAsync(request, Cancelled);
            if (!answer.IsSuccessStatusCode)
                _failures.Enqueue($"{name}: {method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Cancelled)}");
        }
        catch (HttpRequestException failure)
        {
            _failures.Enqueue($"{name}: {method} {path}: {failure.GetType().Name} {failure.Message}");
        }
    }

    private static async Task<string?> SessionsAsync(Uri address) => (string?)(await JsonAsync(address, "/api/v1/sessions?limit=1"))["items"]![0]!["id"];

    private static async Task<string?> AgentAsync(Uri address) => (string?)(await JsonAsync(address, "/api/settings"))["agent"];

    private static async Task SaveSettingsAsync(Uri address, string agent)
    {
        using var client = new HttpClient { BaseAddress = address };
        using var content = new StringContent(new JsonObject { ["agent"] = agent }.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri("/api/settings", UriKind.Relative), content, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task<JsonNode> JsonAsync(Uri address, string path)
    {
        using var client = new HttpClient { BaseAddress = address };
        return JsonNode.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative), Cancelled))!;
    }

    private static string Dll(string build, string project) => Path.Combine(build, project, "bin", "Debug", "net10.0", $"{project}.dll");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Load
    {
        private int _count;

        public int Count
        {
            get => Volatile.Read(ref _count);
            set => Volatile.Write(ref _count, value);
        }

        public Task Ended { get; set; } = Task.CompletedTask;
    }

    private sealed record RunningApi(Process Process, Uri Address) : IDisposable
    {
        public void Dispose()
        {
            if (!Process.HasExited)
                Process.Kill();
            Process.Dispose();
        }
    }
}
