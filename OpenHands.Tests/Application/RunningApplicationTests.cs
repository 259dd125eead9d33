using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Npgsql;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Application;

/// <summary>The whole application through its front door, as a user meets it.</summary>
public sealed class RunningApplicationTests(ApplicationFixture fixture)
{
    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task Its_health_is_there_for_anybody(string path)
    {
        using var api = (await fixture.ApplicationAsync()).CreateHttpClient("api");

        using var answer = await api.GetAsync(path, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("Healthy", (string?)(await BodyAsync(answer))["status"]);
    }

    [Fact]
    public async Task The_front_end_finds_its_configuration_and_options()
    {
        using var api = (await fixture.ApplicationAsync()).CreateHttpClient("api");

        var configuration = await api.GetFromJsonAsync<JsonObject>("/api/v1/web-client/config", Cancelled);
        Assert.Equal("oss", (string?)configuration!["app_mode"]);
        foreach (var list in new[] { "models", "agents", "security-analyzers" })
        {
            Assert.NotEmpty((await api.GetFromJsonAsync<string[]>($"/api/options/{list}", Cancelled))!);
        }
    }

    [Fact]
    public async Task The_first_run_saves_settings_that_last_and_no_key_is_readable_in_the_database()
    {
        await using var application = await ApplicationFixture.StartAsync();
        using var api = application.CreateHttpClient("api");

        using (var before = await api.GetAsync("/api/settings", Cancelled))
        {
            Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);
        }

        await SaveAsync(api, RecordedBodies.FirstRun);
        var first = await SettingsAsync(api);
        Assert.True((bool?)first["llm_api_key_set"]);
        Assert.True((bool?)first["v1_enabled"]);
        Assert.Null(first["llm_api_key"]);

        await SaveAsync(api, RecordedBodies.McpOnly);
        var second = await SettingsAsync(api);
        Assert.Equal("http://127.0.0.1:4000/sse", (string?)second["mcp_config"]!["sse_servers"]![0]!["url"]);
        first.Remove("mcp_config");
        second.Remove("mcp_config");
        Assert.True(JsonNode.DeepEquals(first, second), $"{first}\nbecame\n{second}");

        var stored = await DumpAsync(await application.GetConnectionStringAsync("openhands", Cancelled));
        Assert.DoesNotContain("sk-test-123", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("mcp-test-456", stored, StringComparison.Ordinal);
        Assert.Contains("CodeActAgent", stored, StringComparison.Ordinal); // what is no secret can be read there
    }

    [Fact]
    public async Task A_task_that_any_client_pushes_is_handled()
    {
        var application = await fixture.ApplicationAsync();
        await using var redis = await RedisOfAsync(application);

        await redis.GetDatabase().ListRightPushAsync("queue:background_tasks", """{"type":"noop","payload":{}}""");

        await Eventually.TrueAsync("the worker's log shows the task", () =>
            ResourceLog.Of(application, "worker").Any(line => line.Contains("Task noop", StringComparison.Ordinal)));
        await Eventually.TrueAsync("the queue is empty", async () => await redis.GetDatabase().ListLengthAsync("queue:background_tasks") == 0);
    }

    [Fact]
    public async Task A_value_that_is_no_task_is_set_aside_with_its_reason()
    {
        var application = await fixture.ApplicationAsync();
        await using var redis = await RedisOfAsync(application);
        var value = $"not json {Guid.CreateVersion7():N}";

        await redis.GetDatabase().ListRightPushAsync("queue:set_aside_test", value);

        await using var administrator = await OpenAsync(await application.GetConnectionStringAsync("openhands", Cancelled));
        await using var command = new NpgsqlCommand("SELECT reason FROM dead_letters WHERE queue = 'set_aside_test' AND value = $1", administrator)
        {
            Parameters = { new() { Value = Encoding.UTF8.GetBytes(value) } },
        };
        await Eventually.TrueAsync("the value is a dead letter", async () => await command.ExecuteScalarAsync(Cancelled) is string { Length: > 0 });
    }

    [Theory]
    [InlineData("openhands-app", "openhands_app")]
    [InlineData("openhands-system", "openhands_system")]
    public async Task Services_connect_as_roles_that_own_nothing_and_bypass_nothing(string connection, string role)
    {
        var application = await fixture.ApplicationAsync();
        await using var opened = await OpenAsync(await application.GetConnectionStringAsync(connection, Cancelled));
        await using var command = new NpgsqlCommand(
            """
            SELECT current_user || ' ' || rolsuper || rolcreaterole || rolcreatedb || rolbypassrls || ' '
                || (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid)
            FROM pg_roles WHERE rolname = current_user
            """,
            opened);

        Assert.Equal($"{role} falsefalsefalsefalse 0", await command.ExecuteScalarAsync(Cancelled));
    }

    [Fact]
    public async Task The_generated_values_are_in_no_log()
    {
        var application = await fixture.ApplicationAsync();
        var secrets = new List<string>();
        foreach (var name in new[] { "openhands", "openhands-app", "openhands-system" })
        {
            secrets.Add(new NpgsqlConnectionStringBuilder(await application.GetConnectionStringAsync(name, Cancelled)).Password!);
        }

        secrets.Add((await application.GetConnectionStringAsync("key-ring", Cancelled))!);
        secrets.Add(ConfigurationOptions.Parse((await application.GetConnectionStringAsync("redis", Cancelled))!).Password!);
        var log = string.Join('\n', new[] { "postgres", "redis", "migrations", "api", "worker" }.SelectMany(name => ResourceLog.Of(application, name)));

        Assert.All(secrets, secret => Assert.DoesNotContain(secret, log, StringComparison.Ordinal));
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static async Task SaveAsync(HttpClient api, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await api.PostAsync("/api/settings", content, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task<JsonObject> SettingsAsync(HttpClient api)
    {
        using var answer = await api.GetAsync("/api/settings", Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await BodyAsync(answer);
    }

    private static async Task<JsonObject> BodyAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonObject>(Cancelled))!;

    private static async Task<ConnectionMultiplexer> RedisOfAsync(DistributedApplication application) =>
        await ConnectionMultiplexer.ConnectAsync((await application.GetConnectionStringAsync("redis", Cancelled))!);

    private static async Task<NpgsqlConnection> OpenAsync(string? connectionString)
    {
        var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(Cancelled);
        return connection;
    }

    private static async Task<string> DumpAsync(string? connectionString)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand("SELECT string_agg(user_settings::text, ' ') FROM user_settings", connection);
        return (string)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
