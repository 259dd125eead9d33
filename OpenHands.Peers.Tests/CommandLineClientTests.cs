using System.Net;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Npgsql;
using OpenHands.Tests.Application;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Peers.Tests;

/// <summary>What an operator does with Debian's redis-cli, psql and pg_dump.</summary>
public sealed class CommandLineClientTests(ApplicationFixture fixture)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_pushed_with_redis_cli_is_handled_and_rubbish_is_set_aside_with_its_reason()
    {
        var application = await fixture.ApplicationAsync();

        await RedisCliAsync(application, "RPUSH", "queue:background_tasks", """{"type":"noop","payload":{}}""");
        await RedisCliAsync(application, "RPUSH", "queue:background_tasks", "{rubbish");

        await Eventually.TrueAsync("the worker's log shows the task", () =>
            ResourceLog.Of(application, "worker").Any(line => line.Contains("Task noop", StringComparison.Ordinal)));
        await Eventually.TrueAsync("psql shows the dead letter", async () =>
            (await PsqlAsync(application, "SELECT convert_from(value, 'UTF8') || ': ' || reason FROM dead_letters")).StartsWith("{rubbish: ", StringComparison.Ordinal));
        Assert.Equal("0", (await RedisCliAsync(application, "LLEN", "queue:background_tasks")).Trim());
    }

    [Fact]
    public async Task Neither_psql_nor_a_dump_shows_a_key()
    {
        var application = await fixture.ApplicationAsync();
        using var api = application.CreateHttpClient("api");
        foreach (var body in new[] { RecordedBodies.FirstRun, RecordedBodies.McpOnly })
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await api.PostAsync(new Uri("/api/settings", UriKind.Relative), content, Cancelled);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var shown = await PsqlAsync(application, "SELECT * FROM user_settings");
        var dumped = await PostgresAsync(application, "pg_dump", "--data-only", "--table=user_settings", "--table=users");
        foreach (var text in new[] { shown, dumped })
        {
            Assert.Contains("CodeActAgent", text, StringComparison.Ordinal);
            Assert.DoesNotContain("sk-test-123", text, StringComparison.Ordinal);
            Assert.DoesNotContain("mcp-test-456", text, StringComparison.Ordinal);
        }
    }

    private static Task<string> PsqlAsync(DistributedApplication application, string statement) =>
        PostgresAsync(application, "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement);

    private static async Task<string> PostgresAsync(DistributedApplication application, string program, params string[] arguments)
    {
        var connection = new NpgsqlConnectionStringBuilder(await application.GetConnectionStringAsync("openhands", Cancelled));
        return await Peer.RunAsync(program, arguments, environment: new Dictionary<string, string>
        {
            ["PGHOST"] = connection.Host!,
            ["PGPORT"] = $"{connection.Port}",
            ["PGUSER"] = connection.Username!,
            ["PGPASSWORD"] = connection.Password!,
            ["PGDATABASE"] = connection.Database!,
        });
    }

    private static async Task<string> RedisCliAsync(DistributedApplication application, params string[] command)
    {
        var options = ConfigurationOptions.Parse((await application.GetConnectionStringAsync("redis", Cancelled))!);
        var port = ((DnsEndPoint)options.EndPoints[0]).Port;
        return await Peer.RunAsync("redis-cli", ["-p", $"{port}", .. command], environment: new Dictionary<string, string> { ["REDISCLI_AUTH"] = options.Password! });
    }
}
