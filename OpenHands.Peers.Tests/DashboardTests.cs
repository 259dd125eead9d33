using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenHands.Hosting.Dashboard;
using OpenHands.Tests.Application;
using StackExchange.Redis;

namespace OpenHands.Peers.Tests;

/// <summary>
/// The dashboard in a real Chromium, as a user walks through it: one tour, whose steps are the tests. With
/// DASHBOARD_PICTURES=&lt;folder&gt; it takes the pictures of docs/images.
/// </summary>
public sealed class DashboardTests(DashboardTour tour) : IClassFixture<DashboardTour>
{
    [Theory]
    [InlineData("the link opens the dashboard, once")]
    [InlineData("every resource is healthy")]
    [InlineData("secrets are covered until somebody asks")]
    [InlineData("a request is followed to its trace across API, PostgreSQL and Redis")]
    [InlineData("a resource is stopped and started again")]
    [InlineData("a log line written a moment ago is read in the console")]
    [InlineData("a structured log line leads to its trace and back")]
    [InlineData("metrics have values and charts")]
    [InlineData("a queue shows what its workers did")]
    [InlineData("a dead letter is inspected, replayed and done")]
    [InlineData("a task is cancelled and replayed")]
    [InlineData("a value that is no task is a dead letter with its reason, and still one when it is replayed")]
    [InlineData("labels, roles and contrast hold in light")]
    [InlineData("labels, roles and contrast hold in dark")]
    [InlineData("the keyboard reaches everything and shows where it is")]
    [InlineData("every page fits a phone")]
    [InlineData("nothing came from elsewhere and nothing failed")]
    public void In_the_dashboard(string step) => Assert.Equal("ok", (string?)tour.Report[step]);
}

/// <summary>The tour, walked once through an application of its own.</summary>
public sealed class DashboardTour : IAsyncLifetime
{
    /// <summary>For every step <c>ok</c> or what went wrong.</summary>
    public JsonObject Report { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        await using var application = await ApplicationFixture.StartAsync("--Dashboard:Enabled=true");
        var dashboard = application.Services.GetRequiredService<DashboardHost>();
        await application.ResourceNotifications.WaitForResourceHealthyAsync("dashboard").WaitAsync(ApplicationFixture.Patience);
        var redis = ConfigurationOptions.Parse((await application.GetConnectionStringAsync("redis", CancellationToken.None))!);
        var names = new JsonObject();
        foreach (var resource in new[] { "api", "redis" })
        {
            names[resource] = ResourceLog.Replicas(application, resource).Single();
        }

        var order = new JsonObject
        {
            ["link"] = dashboard.Link,
            ["api"] = application.GetEndpoint("api").GetLeftPart(UriPartial.Authority),
            ["redisPort"] = ((DnsEndPoint)redis.EndPoints[0]).Port,
            ["redisPassword"] = redis.Password,
            ["names"] = names,
            ["deadLetter"] = await InsertTaskAsync(application, "dead"),
            ["scheduled"] = await InsertTaskAsync(application, "scheduled"),
            ["mark"] = Guid.CreateVersion7().ToString("N"),
            ["pictures"] = Environment.GetEnvironmentVariable("DASHBOARD_PICTURES"),
        };
        Report = JsonNode.Parse(await Peer.RunAsync("node", [Path.Combine(Folder(), "npm", "dashboard.mjs")], order.ToJsonString()))!.AsObject();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A task in queue <c>parcels</c> that was given up, or whose time comes in an hour.</summary>
    private static async Task<string> InsertTaskAsync(DistributedApplication application, string status)
    {
        await using var connection = new NpgsqlConnection(await application.GetConnectionStringAsync("openhands-system", CancellationToken.None));
        await connection.OpenAsync();
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO tasks (id, queue, type, payload, fairness_key, priority, status, run_at, reason, retention, created_at, finished_at)
            VALUES ($1, 'parcels', 'noop', '{"parcel": "of the tour"}', '', 0, $2, now() + interval '1 hour',
                CASE WHEN $2 = 'dead' THEN 'The courier did not answer.' END, interval '1 hour', now(), CASE WHEN $2 = 'dead' THEN now() END)
            RETURNING id
            """, connection)
        {
            Parameters = { new() { Value = Guid.CreateVersion7().ToString("N") }, new() { Value = status } },
        };
        return (string)(await insert.ExecuteScalarAsync())!; // the row that was inserted
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
