#if !ASPIRE_PACKAGES // starts a Redis of its own, to crash it
using System.Collections.Concurrent;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class RedisCrashTests
{
    [Fact]
    public async Task Nothing_is_lost_when_Redis_crashes_and_its_absence_is_logged_once()
    {
        await using var server = await RedisTestServer.StartAsync("--appendfsync", "always");
        var (running, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        var seen = new ConcurrentDictionary<int, int>();
        await using var worker = await WorkerHost.StartAsync(server.ConnectionString, "test", async (task, _) =>
        {
            running.TrySetResult();
            await finish.Task;
            seen.AddOrUpdate(task.Payload.GetInt32(), 1, (_, runs) => runs + 1);
            return new TaskOutcome.Done();
        });
        await using (var redis = await RedisDatabase.OpenAsync(server.ConnectionString))
            await redis.PushAsync("q", [.. Enumerable.Range(0, 30).Select(i => $$"""{"type":"test","payload":{{i}}}""")]);
        await running.Task.WaitAsync(TestContext.Current.CancellationToken);

        await server.CrashAsync();
        await Eventually.TrueAsync("the worker has noticed", () => Count(worker, "Redis cannot be used") > 0);
        finish.SetResult(); // what runs ends while there is nobody to tell
        await server.StartAgainAsync();

        await using var again = await RedisDatabase.OpenAsync(server.ConnectionString);
        await Eventually.TrueAsync("everything is done", async () => (await again.AllKeysAsync()) is ["workers"]);
        Assert.Equal(Enumerable.Range(0, 30), seen.Keys.Order());
        Assert.Equal((1, 1), (Count(worker, "Redis cannot be used"), Count(worker, "Redis is back")));
    }

    [Fact]
    public async Task A_worker_starts_and_waits_while_Redis_is_not_there()
    {
        await using var server = await RedisTestServer.StartAsync("--appendfsync", "always");
        await server.CrashAsync();
        await using var worker = await WorkerHost.StartAsync(server.ConnectionString + ",connectTimeout=200");
        await Eventually.TrueAsync("the worker has noticed", () => Count(worker, "Redis cannot be used") > 0);

        await server.StartAgainAsync();
        await using var redis = await RedisDatabase.OpenAsync(server.ConnectionString);
        await redis.PushAsync("q", """{"type":"noop"}""");
        await Eventually.TrueAsync("the task is done", () => Count(worker, "Task noop") > 0);
    }

    private static int Count(WorkerHost worker, string text) => worker.Log.Entries.Count(entry => entry.Text.Contains(text, StringComparison.Ordinal));
}
#endif
