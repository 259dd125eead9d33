#if !ASPIRE_PACKAGES // its processes are guarded by the embedded host
using System.Collections.Concurrent;
using System.Net;
using OpenHands.Hosting.Processes;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Worker;

public sealed class WorkerProcessTests(DatabaseServer server, RedisFixture redis)
{
    private readonly ConcurrentQueue<string> _output = new();
    private readonly Uri _address = new($"http://127.0.0.1:{RunningServer.FreePort()}");

    [Fact]
    public async Task Migrations_that_stay_are_ready_when_they_are_done_and_end_with_SIGTERM()
    {
        var database = await server.CreateEmptyAsync();
        await using var process = Start(["migrate", "--stay"], database, "unused");

        await UntilHealthyAsync(process);
        Assert.NotEmpty(await database.QueryAsync("""SELECT * FROM "__EFMigrationsHistory" """));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/alive"));
        await process.StopAsync();
        Assert.Equal(0, await process.Exited);
    }

    [Fact]
    public async Task The_worker_serves_health_and_nothing_else_drains_queues_and_ends_with_SIGTERM()
    {
        var database = await server.CreateMigratedAsync();
        await using var queues = await redis.CreateDatabaseAsync();
        await using var process = Start([], database, queues.ConnectionString);
        await UntilHealthyAsync(process);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.NotFound], [await AskAsync("/alive"), await AskAsync("/")]);

        await queues.PushAsync("background_tasks", """{"type":"noop","payload":{}}""");
        await Eventually.TrueAsync("the log shows the task", () => _output.Any(line => line.Contains("Task noop", StringComparison.Ordinal)));
        await process.StopAsync();
        Assert.Equal(0, await process.Exited);
        Assert.Equal(["noop|done"], await database.QueryAsync("SELECT type, status FROM tasks WHERE queue = 'background_tasks'"));
        Assert.Empty(await database.QueryAsync("SELECT id FROM workers"));
    }

    [Fact]
    public async Task No_value_is_lost_and_none_is_set_aside_twice_when_workers_are_killed_over_and_over()
    {
        const int Values = 400;
        var database = await server.CreateMigratedAsync();
        await using var queues = await redis.CreateDatabaseAsync();
        await queues.PushAsync("q", [.. Enumerable.Range(0, Values).Select(i => $"rubbish {i}")]);
        for (var kill = 0; kill < 2; kill++)
        {
            var left = kill == 0 ? Values : await queues.Keys.ListLengthAsync("queue:q");
            if (left <= 50)
                break;
            await using var victim = Start([], database, queues.ConnectionString);
            await Eventually.TrueAsync("it is in the middle of it", async () => await queues.Keys.ListLengthAsync("queue:q") < left - 50);
            System.Diagnostics.Process.GetProcessById(await victim.ProcessId).Kill();
            await victim.Exited;
        }

        await using var process = Start([], database, queues.ConnectionString);
        await Eventually.TrueAsync("everything is set aside", async () => !(await queues.AllKeysAsync()).Any(key => key is "queue:q" or "adopting:q"));
        Assert.Equal([$"{Values}|{Values}"], await database.QueryAsync("SELECT count(*), count(DISTINCT value) FROM dead_letters"));
    }

    private GuardedProcess Start(string[] args, TestDatabase database, string redisConnection) => GuardedProcess.Start(new()
    {
        FileName = Path.Combine(AppContext.BaseDirectory, "OpenHands.Worker"),
        // As arguments: a shell between us and the worker may drop a variable whose name has a hyphen.
        Arguments =
        [
            .. args,
            $"--ConnectionStrings:openhands-admin={database.Administrator}",
            $"--ConnectionStrings:openhands={database.App}",
            $"--ConnectionStrings:openhands-system={database.System}",
            $"--ConnectionStrings:redis={redisConnection}",
            $"--ConnectionStrings:secrets={new string('k', 43)}",
            $"--urls={_address}",
        ],
        Environment = new Dictionary<string, string?>
        {
            ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../..")),
        },
        Output = (line, _) => _output.Enqueue(line),
    });

    private Task UntilHealthyAsync(GuardedProcess process) => Eventually.TrueAsync("it is healthy", async () =>
    {
        Assert.False(process.Exited.IsCompleted, string.Join('\n', _output));
        return await AskAsync("/health") == HttpStatusCode.OK;
    });

    private async Task<HttpStatusCode?> AskAsync(string path)
    {
        using var client = new HttpClient { BaseAddress = _address };
        try
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
#endif
