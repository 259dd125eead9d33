using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenHands.Tests.Application;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Hosting.Running;

/// <summary>Parts of the running application die.</summary>
public sealed class FaultTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_crash_of_PostgreSQL_makes_the_API_answer_503_until_it_is_back_without_a_restart_of_the_API()
    {
        await using var application = await ApplicationFixture.StartAsync();
        using var api = application.CreateHttpClient("api");
        await SaveAsync(api);
        var processOfApi = ProcessOf(application, "api");

        Kill(application, "postgres");
        await Eventually.TrueAsync("the API answers 503", async () => await StatusAsync(api, "/api/settings") == HttpStatusCode.ServiceUnavailable);

        await Eventually.TrueAsync("the settings are back", async () => await StatusAsync(api, "/api/settings") == HttpStatusCode.OK);
        await Eventually.TrueAsync("the API is healthy", async () => await StatusAsync(api, "/health") == HttpStatusCode.OK);
        Assert.Equal(processOfApi, ProcessOf(application, "api"));
    }

    [Fact]
    public async Task A_loss_of_Redis_degrades_the_API_which_stays_ready_until_Redis_is_back()
    {
        await using var application = await ApplicationFixture.StartAsync();
        using var api = application.CreateHttpClient("api");

        // Stopped, not killed: a crashed one is back before a health answer of a second ago has expired.
        Signal(application, "redis", "STOP");
        await Eventually.TrueAsync("the API says that it is degraded", () => HealthIsAsync("Degraded"));
        Kill(application, "redis");
        await Eventually.TrueAsync("the API is healthy again", () => HealthIsAsync("Healthy"));

        async Task<bool> HealthIsAsync(string status)
        {
            using var answer = await api.GetAsync(new Uri("/health", UriKind.Relative), Cancelled);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var body = await answer.Content.ReadFromJsonAsync<JsonObject>(Cancelled);
            return (string?)body!["status"] == status;
        }
    }

    [Fact]
    public async Task A_crashed_project_is_started_again_behind_the_same_address()
    {
        await using var application = await ApplicationFixture.StartAsync();
        using var api = application.CreateHttpClient("api");
        var before = ProcessOf(application, "api");

        Kill(application, "api");

        await application.ResourceNotifications.WaitForResourceAsync(
            "api", change => change.Snapshot is { Restarts: 1, HealthStatus: HealthStatus.Healthy }, Cancelled).WaitAsync(ApplicationFixture.Patience, Cancelled);
        Assert.NotEqual(before, ProcessOf(application, "api"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(api, "/alive"));
    }

    [Fact]
    public async Task Replicas_serve_one_address_and_the_loss_of_one_is_not_the_loss_of_it()
    {
        await using var application = await ApplicationFixture.StartAsync("--Replicas:Api=2");
        Assert.Equal(2, ResourceLog.Replicas(application, "api").Count);
        foreach (var id in ResourceLog.Replicas(application, "api"))
        {
            await application.ResourceNotifications.WaitForResourceAsync(
                "api", change => change.ResourceId == id && change.Snapshot.HealthStatus == HealthStatus.Healthy, Cancelled).WaitAsync(ApplicationFixture.Patience, Cancelled);
        }

        Kill(application, "api");

        using var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero };
        using var api = new HttpClient(handler) { BaseAddress = application.GetEndpoint("api") };
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(api, "/alive"));
        }
    }

    [Fact]
    public async Task Settings_outlive_the_run_when_a_data_directory_is_named()
    {
        using var folder = new TestFolder();
        string[] args = [$"--Data:Directory={folder["data"]}"];
        await using (var first = await ApplicationFixture.StartAsync(args))
        {
            using var api = first.CreateHttpClient("api");
            await SaveAsync(api);
        }

        await using var second = await ApplicationFixture.StartAsync(args);
        using var again = second.CreateHttpClient("api");
        var body = await again.GetStringAsync(new Uri("/api/settings", UriKind.Relative), Cancelled);
        Assert.Contains("\"llm_api_key_set\":true", body, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-test-123", body, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder["data"], "parameters.json")));
    }

    [Fact]
    public async Task It_runs_where_neither_PostgreSQL_nor_Redis_is_installed()
    {
        await using var application = await ApplicationFixture.StartAsync("--Postgres:Source=provisioned", "--Redis:Source=provisioned");
        using var api = application.CreateHttpClient("api");

        await Eventually.TrueAsync("it is healthy", async () => await StatusAsync(api, "/health") == HttpStatusCode.OK);
        Assert.Contains("/servers/", new FileInfo($"/proc/{ProcessOf(application, "postgres")}/exe").LinkTarget, StringComparison.Ordinal);
    }

    private static int ProcessOf(DistributedApplication application, string resource)
    {
        Assert.True(application.ResourceNotifications.TryGetCurrentState(ResourceLog.Replicas(application, resource)[0], out var state));
        return state.Snapshot.ProcessId ?? throw new InvalidOperationException($"{resource} does not run.");
    }

    private static void Kill(DistributedApplication application, string resource) => Signal(application, resource, "KILL");

    private static void Signal(DistributedApplication application, string resource, string name)
    {
        using var kill = Process.Start("kill", ["-s", name, $"{ProcessOf(application, resource)}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient api, string path)
    {
        using var answer = await api.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
        return answer.StatusCode;
    }

    private static async Task SaveAsync(HttpClient api)
    {
        using var content = new StringContent(RecordedBodies.FirstRun, Encoding.UTF8, "application/json");
        using var answer = await api.PostAsync(new Uri("/api/settings", UriKind.Relative), content, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
