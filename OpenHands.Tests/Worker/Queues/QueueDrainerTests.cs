using System.Collections.Concurrent;
using System.Globalization;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>The worker with real PostgreSQL and Redis, from a pushed value or an enqueued task to its fate.</summary>
public sealed class QueueDrainerTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private static readonly TaskOutcome Done = new TaskOutcome.Done();

    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pushed_value_is_adopted_and_done()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        await _queues.Redis.PushAsync("background_tasks", """{"type":"noop","payload":{}}""");

        await Eventually.TrueAsync("the log says so", () => worker.Log.Entries.Any(entry =>
            entry.Text.StartsWith("Task noop ", StringComparison.Ordinal) && entry.Text.Contains(" of queue background_tasks done in ", StringComparison.Ordinal)));
        await _queues.UntilDrainedAsync();
        Assert.Equal(["noop|done"], await _queues.TasksAsync("type, status"));
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
        await _queues.Redis.PushAsync("a:b", """{"type":"test","payload":{"n":1,"odd":"\u0000\ud800"},"id":"x"}""");

        var task = await got.Task.WaitAsync(Cancelled);
        Assert.Equal(
            ("a:b", "x", "test", 1, 1L, 1), (task.Queue, task.ProducerId, task.Type, task.Attempt, task.LeaseNumber, task.Payload.GetProperty("n").GetInt32()));
    }

    [Fact]
    public async Task An_enqueued_task_is_done_and_its_result_is_kept()
    {
        await using var worker = await StartAsync((task, _) => Task.FromResult<TaskOutcome>(new TaskOutcome.Done(task.Payload.GetInt32() * 2)));
        await _queues.EnqueueAsync("q", 21);

        await _queues.UntilDrainedAsync();
        Assert.Equal(["done|42|0"], await _queues.TasksAsync("status, result, attempt"));
    }

    [Fact]
    public async Task A_failed_task_is_tried_again()
    {
        var attempts = new ConcurrentQueue<(int, long)>();
        await using var worker = await StartAsync(
            (task, _) =>
            {
                attempts.Enqueue((task.Attempt, task.LeaseNumber));
                return task.Attempt < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult(Done);
            },
            "Worker:RetryDelay=00:00:00.001");
        await _queues.EnqueueAsync("q", 1);

        await _queues.UntilDrainedAsync();
        Assert.Equal([(1, 1L), (2, 2L), (3, 3L)], attempts);
    }

    [Fact]
    public async Task A_task_that_fails_in_every_attempt_is_a_dead_letter_with_the_reason()
    {
        await using var worker = await StartAsync(
            (_, _) => throw new InvalidOperationException("s3cret"), "Worker:MaxAttempts=3", "Worker:RetryDelay=00:00:00.001");
        await _queues.EnqueueAsync("q", 1);

        await _queues.UntilDrainedAsync();
        Assert.Equal(["dead|3|Attempt 3 of 3 failed: InvalidOperationException."], await _queues.TasksAsync("status, attempt, reason"));
    }

    [Fact]
    public async Task A_task_without_a_handler_is_a_dead_letter_with_the_reason()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        await _queues.EnqueueAsync("q", 1);

        await _queues.UntilDrainedAsync();
        Assert.Equal(["dead|There is no handler for its type."], await _queues.TasksAsync("status, reason"));
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
        await _queues.EnqueueAsync("q", 1);

        await _queues.UntilDrainedAsync();
        // The platform's own tasks have the same limit.
        Assert.Single(worker.Log.Entries, entry => entry.Text.StartsWith("Task test ", StringComparison.Ordinal) && entry.Text.Contains("failed in attempt 1 of 5", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_snoozed_task_runs_again_without_counting_an_attempt()
    {
        var leases = new ConcurrentQueue<(int, long)>();
        await using var worker = await StartAsync((task, _) =>
        {
            leases.Enqueue((task.Attempt, task.LeaseNumber));
            return Task.FromResult(leases.Count < 4 ? new TaskOutcome.Snooze(TimeSpan.FromMilliseconds(1)) : Done);
        });
        await _queues.EnqueueAsync("q", 1);

        await _queues.UntilDrainedAsync();
        Assert.Equal([(1, 1L), (1, 2L), (1, 3L), (1, 4L)], leases);
    }

    [Fact]
    public async Task A_task_that_its_handler_drops_is_cancelled()
    {
        var runs = 0;
        await using var worker = await StartAsync((_, _) =>
        {
            Interlocked.Increment(ref runs);
            return Task.FromResult<TaskOutcome>(new TaskOutcome.Cancel("its conversation is gone"));
        });
        await _queues.EnqueueAsync("q", 1);

        await _queues.UntilDrainedAsync();
        Assert.Equal(1, runs);
        Assert.Equal(["cancelled|its conversation is gone"], await _queues.TasksAsync("status, reason"));
    }

    [Fact]
    public async Task A_delayed_task_becomes_due()
    {
        await _queues.Producer.EnqueueAsync([new NewTask("q", "noop") { Delay = TimeSpan.FromMilliseconds(300) }], Cancelled);
        Assert.Equal(["scheduled"], await _queues.TasksAsync("status"));
        await using var worker = await WorkerHost.StartAsync(_queues);

        await _queues.UntilDrainedAsync();
        Assert.Equal(["True"], await _queues.TasksAsync("finished_at >= created_at + interval '300 ms'"));
    }

    [Fact]
    public async Task Tasks_of_a_worker_that_is_gone_run_elsewhere()
    {
        var ids = await _queues.EnqueueAsync("q", [.. Enumerable.Range(0, 20)]);
        var gone = await _queues.EnterAsync("gone");
        Assert.Equal(10, (await gone.LeaseAsync("q", [.. ids.Take(10)], null, Cancelled)).Count);

        var seen = new ConcurrentDictionary<int, int>();
        await using var worker = await StartAsync(Count(seen)); // nobody holds the lock of the other
        await _queues.UntilDrainedAsync();
        Assert.Equal(Enumerable.Range(0, 20).ToDictionary(number => number, _ => 1), seen);
    }

    [Fact]
    public async Task Leases_that_a_worker_has_without_knowing_are_handed_back()
    {
        await using var worker = await StartAsync((_, _) => Task.FromResult(Done), "Worker:Queues=none");
        var ids = await _queues.EnqueueAsync("q", 1, 2);
        await new TaskLeases(_queues.Database, worker.Id).LeaseAsync("q", ids, null, Cancelled);

        await _queues.Postgres.QueryAsync($"DELETE FROM workers WHERE id = '{worker.Id}'"); // as if it had been silent
        await Eventually.TrueAsync("they wait again", async () => await _queues.TasksAsync("status, lost") is ["waiting|0", "waiting|0"]);
        await Eventually.TrueAsync("it is entered again", async () => (await _queues.Postgres.QueryAsync("SELECT id FROM workers")).SequenceEqual([worker.Id]));
    }

    [Fact]
    public async Task A_task_whose_lease_ended_is_stopped_and_records_nothing()
    {
        var (running, stopped) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var worker = await StartAsync(
            async (task, cancellationToken) =>
            {
                if (task.LeaseNumber > 1)
                    return Done;
                await using var registration = cancellationToken.Register(stopped.SetResult);
                running.SetResult();
                await stopped.Task;
                return Done;
            });
        await _queues.EnqueueAsync("q", 1);
        await running.Task.WaitAsync(Cancelled);

        await _queues.RescueAsync(worker.Id); // it is taken for gone
        await stopped.Task.WaitAsync(Cancelled);
        await _queues.UntilDrainedAsync();
        Assert.Equal(["done|2|0"], await _queues.TasksAsync("status, lease_number, lost"));
        await Eventually.TrueAsync("it is logged", () => worker.Logged("which had ended: nothing is recorded") == 1);
    }

    [Fact]
    public async Task Only_the_chosen_queues_are_drained()
    {
        await _queues.Redis.PushAsync("mine:1", """{"type":"noop"}""");
        await _queues.Redis.PushAsync("theirs", """{"type":"noop"}""");
        await _queues.Producer.EnqueueAsync([new NewTask("theirs", "noop"), new NewTask("mine:2", "noop")], Cancelled);
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=mine:*"]);

        await Eventually.TrueAsync("the chosen queues are drained", async () => (await _queues.TasksAsync("queue", "status = 'done'")).Order().SequenceEqual(["mine:1", "mine:2"]));
        Assert.Equal(["theirs"], await _queues.TasksAsync("queue", "status = 'waiting'"));
        Assert.Equal(2, await _queues.Redis.Keys.ListLengthAsync(RedisKeys.Queue("theirs")));
    }

    [Fact]
    public async Task A_key_that_is_no_list_is_left_alone_with_one_warning()
    {
        await _queues.Redis.Keys.StringSetAsync(RedisKeys.Queue("named"), "x");
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=named,*"]);
        for (var i = 0; i < 3; i++)
        {
            await _queues.Redis.PushAsync($"q{i}", """{"type":"noop"}""");
            await Eventually.TrueAsync("it is done", async () => (await _queues.TasksAsync("id", $"queue = 'q{i}' AND status = 'done'")).Count == 1);
        }

        Assert.Equal("x", (string?)await _queues.Redis.Keys.StringGetAsync(RedisKeys.Queue("named")));
        Assert.Equal(1, worker.Logged("holds another type than docs/redis-keys.md says; it is left alone"));
    }

    [Fact]
    public async Task A_stopping_worker_lets_running_tasks_finish_and_takes_nothing_new()
    {
        var (running, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        await _queues.EnqueueAsync("q", 0, 1);
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
        await Eventually.TrueAsync("the worker is stopping", () => worker.Logged("Stopping: 1 running") == 1);
        Assert.False(stopping.IsCompleted);
        finish.SetResult();
        await stopping;

        Assert.Equal(["0|done", "1|waiting"], (await _queues.TasksAsync("payload, status")).Order());
        Assert.Empty(await _queues.Postgres.QueryAsync("SELECT id FROM workers"));
    }

    [Fact]
    public async Task A_stopping_worker_hands_back_what_does_not_finish()
    {
        var running = new CountdownEvent(2);
        await _queues.EnqueueAsync("q", 0, 1, 2);
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

        Assert.Equal(["waiting|0|0", "waiting|0|0", "waiting|0|0"], await _queues.TasksAsync("status, attempt, lost"));
    }

    [Fact]
    public async Task Tasks_that_were_leased_ahead_do_not_wait_behind_a_long_one()
    {
        const int Long = 200;
        var (seen, goOn) = (new ConcurrentDictionary<int, int>(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await _queues.EnqueueAsync("q", [.. Enumerable.Range(0, 230)]);
        await using var worker = await StartAsync(
            async (task, cancellationToken) =>
            {
                seen.AddOrUpdate(Number(task), 1, (_, count) => count + 1);
                if (Number(task) >= Long)
                    await goOn.Task.WaitAsync(cancellationToken);
                return Done;
            },
            "Worker:Concurrency=2");

        await Eventually.TrueAsync("two long ones run and all others wait", async () =>
            (await _queues.TasksAsync("status")).GroupBy(status => status).Select(each => (each.Key, each.Count())).Order()
                .SequenceEqual([("done", Long), ("leased", 2), ("waiting", 28)]));
        goOn.SetResult();
        await _queues.UntilDrainedAsync();
        Assert.All(Enumerable.Range(0, 230), number => Assert.Equal(1, seen[number]));
        Assert.Equal(["0|0"], (await _queues.TasksAsync("attempt, lost")).Distinct());
    }

    [Fact]
    public async Task A_paused_queue_starts_nothing()
    {
        var rules = new QueueRules(_queues.Database);
        await rules.SetAsync(new QueueRule("q", IsPaused: true, null, null), Cancelled);
        await _queues.EnqueueAsync("q", 1);
        await _queues.Producer.EnqueueAsync([new NewTask("other", "noop")], Cancelled);
        await using var worker = await StartAsync((_, _) => Task.FromResult(Done));

        await Eventually.TrueAsync("the other one is done", async () => (await _queues.TasksAsync("id", "queue = 'other' AND status = 'done'")).Count == 1);
        Assert.Equal(["waiting"], await _queues.TasksAsync("status", "queue = 'q'"));
        await rules.SetAsync(new QueueRule("q", IsPaused: false, null, null), Cancelled);
        await _queues.UntilDrainedAsync();
    }

    [Fact]
    public async Task Tasks_run_while_Redis_loses_everything_over_and_over()
    {
        var seen = new ConcurrentDictionary<int, int>();
        await using var worker = await StartAsync(Count(seen), "Worker:Concurrency=2");
        for (var i = 0; i < 10; i++)
        {
            await _queues.EnqueueAsync("q", [.. Enumerable.Range(i * 20, 20)]);
            await _queues.Redis.FlushAsync();
        }

        await _queues.UntilDrainedAsync();
        Assert.Equal(Enumerable.Range(0, 200).ToDictionary(number => number, _ => 1), seen);
    }

    [Theory]
    [InlineData(20, 0)]
    [InlineData(1000, 1)]
    public async Task Pools_that_may_open_more_connections_than_PostgreSQL_allows_are_warned_of_at_the_start(int size, int warnings)
    {
        await using var worker = await WorkerHost.StartAsync(
            _queues, settings: [$"ConnectionStrings:openhands={_queues.Postgres.App};Maximum Pool Size={size}", $"ConnectionStrings:openhands-system={_queues.Postgres.System};Maximum Pool Size=20"]);
        await Eventually.TrueAsync("it has looked", () => worker.Logged("drains queues") == 1 && (warnings == 0 || worker.Logged("may open") > 0));
        await worker.StopAsync();

        var each = size + 20 + WorkerRegistry.SessionsBesidePools;
        Assert.Equal(warnings, worker.Logged($"1 workers with up to {each} connections each may open {each} to PostgreSQL, which allows 497"));
    }

    private Task<WorkerHost> StartAsync(Handler handler, params string[] settings) => WorkerHost.StartAsync(_queues, handler, settings);

    private static Handler Count(ConcurrentDictionary<int, int> seen) => (task, _) =>
    {
        seen.AddOrUpdate(Number(task), 1, (_, runs) => runs + 1);
        return Task.FromResult(Done);
    };

    private static int Number(QueuedTask task) => int.Parse(task.Payload.ToString(), CultureInfo.InvariantCulture);
}
