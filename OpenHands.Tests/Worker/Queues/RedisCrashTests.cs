#if !ASPIRE_PACKAGES // starts a Redis of its own, to crash it
using System.Collections.Concurrent;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>Redis may be lost at any moment: PostgreSQL has every task.</summary>
public sealed class RedisCrashTests(DatabaseServer server)
{
    [Fact]
    public async Task Tasks_run_while_Redis_is_gone_and_its_absence_is_logged_once()
    {
        await using var crashed = await RedisTestServer.StartAsync("--save", "", "--appendonly", "no");
        var seen = new ConcurrentDictionary<int, int>();
        await using var redis = await RedisDatabase.OpenAsync(crashed.ConnectionString);
        await using var queues = TestQueues.Of(await server.CreateMigratedAsync(), redis);
        await using var worker = await WorkerHost.StartAsync(queues, (task, _) =>
        {
            seen.AddOrUpdate(task.Payload.GetInt32(), 1, (_, runs) => runs + 1);
            return Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
        });
        await queues.EnqueueAsync("q", [.. Enumerable.Range(0, 30)]);
        await crashed.CrashAsync();
        await queues.EnqueueAsync("q", [.. Enumerable.Range(30, 30)]);
        await Eventually.TrueAsync("everything is done", async () => (await queues.TasksAsync("id", "status = 'done'")).Count == 60);
        Assert.Equal(1, worker.Logged("Redis cannot be used"));

        await crashed.StartAgainAsync(); // without its data
        await Eventually.TrueAsync("the worker has noticed", () => worker.Logged("Redis is back") == 1);
        await queues.EnqueueAsync("q", [.. Enumerable.Range(60, 30)]);
        await queues.UntilDrainedAsync();
        Assert.Equal(Enumerable.Range(0, 90).ToDictionary(number => number, _ => 1), seen);
    }
}
#endif
