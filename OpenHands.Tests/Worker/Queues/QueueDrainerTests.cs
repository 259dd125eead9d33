using System.Collections.Concurrent;
using System.Globalization;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class QueueDrainerTests(RedisFixture fixture) : IAsyncLifetime
{
    private static readonly TaskOutcome Done = new TaskOutcome.Done();

    private RedisDatabase _redis = null!; // set before every test

    public async ValueTask InitializeAsync() => _redis = await fixture.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pushed_task_is_done()
    {
        await using var worker = await WorkerHost.StartAsync(_redis.ConnectionString);
        await _redis.PushAsync("background_tasks", """{"type":"noop","payload":{}}""");

        await Eventually.TrueAsync("the log says so", () => worker.Log.Entries.Any(entry =>
            entry.Text.StartsWith("Task noop ", StringComparison.Ordinal) && entry.Text.Contains(" of queue background_tasks done in ", StringComparison.Ordinal)));
        await UntilDrainedAsync();
    }

    [Fact]
    public async Task A_handler_gets_what_was_pushed()
    {
        var got = new TaskCompletionSource<QueuedTask>();
        await using var worker = await StartAsync((task, _) =>
        {
            got.SetResult(task);
            return Task.FromResult(Done);
        });
        await _redis.PushAsync("a:b", """{"type":"test","payload":{"n":1},"id":"x"}""");

        var task = await got.Task.WaitAsync(Cancelled);
        Assert.Equal(("a:b", "x", "test", 1, 1), (task.Queue, task.Id, task.Type, task.Attempt, task.Payload.GetProperty("n").GetInt32()));
    }

    [Fact]
    public async Task A_failed_task_is_tried_again()
    {
        var attempts = new ConcurrentQueue<int>();
        await using var worker = await StartAsync(
            (task, _) =>
            {
                attempts.Enqueue(task.Attempt);
                return task.Attempt < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult(Done);
            },
            "Worker:RetryDelay=00:00:00.001");
        await _redis.PushAsync("q", """{"type":"test"}""");

        await UntilDrainedAsync();
        Assert.Equal([1, 2, 3], attempts);
    }

    [Fact]
    public async Task A_handler_that_takes_too_long_is_cancelled_and_tried_again()
    {
        await using var worker = await StartAsync(
            async (task, cancellationToken) =>
            {
                if (task.Attempt == 1)
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                return Done;
            },
            "Worker:HandlerTimeout=00:00:00.1", "Worker:RetryDelay=00:00:00.001");
        await _redis.PushAsync("q", """{"type":"test"}""");

        await UntilDrainedAsync();
        Assert.Contains(worker.Log.Entries, entry => entry.Text.Contains("failed in attempt 1 of 5", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_snoozed_task_runs_again_without_counting_an_attempt()
    {
        var attempts = new ConcurrentQueue<int>();
        await using var worker = await StartAsync((task, _) =>
        {
            attempts.Enqueue(task.Attempt);
            return Task.FromResult(attempts.Count < 8 ? new TaskOutcome.Snooze(TimeSpan.FromMilliseconds(1)) : Done);
        });
        await _redis.PushAsync("q", """{"type":"test"}""");

        await UntilDrainedAsync();
        Assert.Equal(Enumerable.Repeat(1, 8), attempts);
    }

    [Fact]
    public async Task A_cancelled_task_is_dropped()
    {
        var runs = 0;
        await using var worker = await StartAsync((_, _) =>
        {
            Interlocked.Increment(ref runs);
            return Task.FromResult<TaskOutcome>(new TaskOutcome.Cancel("its conversation is gone"));
        });
        await _redis.PushAsync("q", """{"type":"test"}""");

        await UntilDrainedAsync();
        Assert.Equal(1, runs);
        Assert.Contains(worker.Log.Entries, entry => entry.Text.Contains("its conversation is gone", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tasks_of_a_killed_worker_run_elsewhere()
    {
        await _redis.PushAsync("q", [.. Enumerable.Range(0, 20).Select(Numbered)]);
        var killed = _redis.Worker("killed");
        for (var i = 0; i < 10; i++)
            await killed.TryTakeAsync("q");
        await _redis.Keys.SortedSetRemoveAsync(RedisKeys.Workers, "killed"); // as if its last heartbeat were long ago

        var seen = new ConcurrentDictionary<int, int>();
        await using var worker = await StartAsync(Count(seen));
        await UntilDrainedAsync();
        Assert.Equal(Enumerable.Range(0, 20), seen.Keys.Order());
        Assert.Contains(worker.Log.Entries, entry => entry.Text.Contains("Rescued 10 tasks of queue q", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_thousand_tasks_over_two_workers_are_all_done_and_none_is_left()
    {
        var seen = new ConcurrentDictionary<int, int>();
        await using var one = await StartAsync(Count(seen));
        await using var two = await StartAsync(Count(seen));
        for (var i = 0; i < 1000; i += 100)
            await _redis.PushAsync($"q{i % 3}", [.. Enumerable.Range(i, 100).Select(Numbered)]);

        await UntilDrainedAsync();
        Assert.Equal(Enumerable.Range(0, 1000), seen.Keys.Order());
    }

    [Fact]
    public async Task Equal_payloads_are_two_tasks()
    {
        var runs = 0;
        await using var worker = await StartAsync((_, _) =>
        {
            Interlocked.Increment(ref runs);
            return Task.FromResult(Done);
        });
        await _redis.PushAsync("q", """{"type":"test"}""", """{"type":"test"}""", """{"type":"test"}""");

        await UntilDrainedAsync();
        Assert.Equal(3, runs);
    }

    [Fact]
    public async Task No_queue_waits_until_a_longer_one_is_empty()
    {
        var order = new ConcurrentQueue<string>();
        await _redis.PushAsync("long", [.. Enumerable.Repeat("""{"type":"test"}""", 50)]);
        await _redis.PushAsync("short", """{"type":"test"}""");
        await using var worker = await StartAsync(
            (task, _) =>
            {
                order.Enqueue(task.Queue);
                return Task.FromResult(Done);
            },
            "Worker:Concurrency=1", "Worker:Queues=long,short");

        await UntilDrainedAsync();
        Assert.Contains("short", order.Take(2));
    }

    [Fact]
    public async Task Only_the_chosen_queues_are_drained()
    {
        await _redis.PushAsync("mine:1", """{"type":"noop"}""");
        await _redis.PushAsync("theirs", """{"type":"noop"}""");
        await using var worker = await WorkerHost.StartAsync(_redis.ConnectionString, settings: ["Worker:Queues=mine:*"]);

        await Eventually.TrueAsync("the chosen queue is empty", async () => !await _redis.Keys.KeyExistsAsync(RedisKeys.Queue("mine:1")));
        // A second pass over all keys has begun: the other queue was seen, too.
        await _redis.PushAsync("mine:2", """{"type":"noop"}""");
        await Eventually.TrueAsync("the next one as well", async () => !await _redis.Keys.KeyExistsAsync(RedisKeys.Queue("mine:2")));
        Assert.Equal(1, await _redis.Keys.ListLengthAsync(RedisKeys.Queue("theirs")));
    }

    [Fact]
    public async Task A_key_that_is_no_list_is_left_alone_with_one_warning()
    {
        await _redis.Keys.StringSetAsync(RedisKeys.Queue("text"), "x");
        await _redis.Keys.StringSetAsync(RedisKeys.Queue("named"), "x");
        await using var worker = await WorkerHost.StartAsync(_redis.ConnectionString, settings: ["Worker:Queues=named,*"]);
        for (var i = 0; i < 3; i++)
        {
            await _redis.PushAsync($"q{i}", """{"type":"noop"}""");
            await UntilDrainedAsync($"queue:q{i}");
        }

        Assert.Equal("x", (string?)await _redis.Keys.StringGetAsync(RedisKeys.Queue("text")));
        Assert.Single(worker.Log.Entries, entry => entry.Text.Contains("queue:text", StringComparison.Ordinal));
        Assert.Single(worker.Log.Entries, entry => entry.Text.Contains("A key of queue named holds another type", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stopping_worker_lets_running_tasks_finish_and_takes_nothing_new()
    {
        var (running, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        await _redis.PushAsync("q", Numbered(0), Numbered(1));
        await using var worker = await StartAsync(
            async (_, _) =>
            {
                running.TrySetResult();
                await finish.Task;
                return Done;
            },
            "Worker:Concurrency=1");
        await running.Task.WaitAsync(Cancelled);

        var stopping = worker.StopAsync();
        await Eventually.TrueAsync("the worker is stopping", () => worker.Log.Entries.Any(entry => entry.Text.Contains("Stopping: 1 running", StringComparison.Ordinal)));
        Assert.False(stopping.IsCompleted);
        finish.SetResult();
        await stopping;

        Assert.Equal([Numbered(1)], await _redis.ListAsync(RedisKeys.Queue("q")));
        Assert.Equal([(string)RedisKeys.Queue("q")!], await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task A_stopping_worker_hands_back_what_does_not_finish()
    {
        var running = new CountdownEvent(2);
        await _redis.PushAsync("q", Numbered(0), Numbered(1), Numbered(2));
        await using var worker = await StartAsync(
            async (task, cancellationToken) =>
            {
                running.Signal();
                // One obeys its token, the other one is deaf.
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Number(task) == 0 ? cancellationToken : CancellationToken.None);
                return Done;
            },
            "Worker:Concurrency=2", "Worker:ShutdownTimeout=00:00:00.05");
        await Eventually.TrueAsync("two tasks run", () => running.IsSet);
        await worker.StopAsync();

        Assert.Equal([Numbered(0), Numbered(1), Numbered(2)], (await _redis.ListAsync(RedisKeys.Queue("q"))).Order());
        Assert.Equal([(string)RedisKeys.Queue("q")!], await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task Running_tasks_survive_that_Redis_loses_everything()
    {
        var (running, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        var attempts = new ConcurrentQueue<int>();
        await using var worker = await StartAsync(
            async (task, _) =>
            {
                attempts.Enqueue(task.Attempt);
                running.TrySetResult();
                await finish.Task;
                return task.Attempt == 1 ? throw new InvalidOperationException("once") : Done;
            },
            "Worker:RetryDelay=00:00:00.001");
        await _redis.PushAsync("q", """{"type":"test"}""");
        await running.Task.WaitAsync(Cancelled);
        await _redis.FlushAsync();
        finish.SetResult();
        await Eventually.TrueAsync("it is tried again", () => attempts.Count == 2);

        await _redis.PushAsync("q", """{"type":"test"}""");
        await UntilDrainedAsync();
        Assert.Equal([1, 2, 1, 2], attempts);
    }

    private Task<WorkerHost> StartAsync(Handler handler, params string[] settings) =>
        WorkerHost.StartAsync(_redis.ConnectionString, "test", handler, settings);

    // Not one key of ours is left but the heartbeats, which is also true before the first push: never call it there.
    private Task UntilDrainedAsync() => Eventually.TrueAsync(
        "all queues are drained",
        async () => !(await _redis.AllKeysAsync()).Except([RedisKeys.Workers.ToString()]).Any());

    private Task UntilDrainedAsync(string key) => Eventually.TrueAsync(
        $"{key} is drained",
        async () => !await _redis.Keys.KeyExistsAsync(key) && !await _redis.Keys.KeyExistsAsync(RedisKeys.Queues));

    private static Handler Count(ConcurrentDictionary<int, int> seen) => (task, _) =>
    {
        seen.AddOrUpdate(Number(task), 1, (_, runs) => runs + 1);
        return Task.FromResult(Done);
    };

    private static int Number(QueuedTask task) => task.Payload.GetInt32();

    private static string Numbered(int number) => $$"""{"type":"test","payload":{{number.ToString(CultureInfo.InvariantCulture)}}}""";
}
