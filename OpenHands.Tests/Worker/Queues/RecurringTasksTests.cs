using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class RecurringTasksTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private static readonly RecurringTask EveryMinute = new("clean", "* * * * *", new NewTask("q", "noop"));

    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tick_enqueues_one_task_however_many_workers_look()
    {
        RecurringTasks[] workers = [Worker(), Worker(), Worker(), Worker()];
        Assert.Null(await workers[0].TickAsync(EveryMinute, Cancelled)); // the first look only enters it
        for (var tick = 1; tick <= 3; tick++)
        {
            await _queues.Postgres.QueryAsync($"UPDATE recurring_tasks SET next_at = date_trunc('minute', now()) - interval '{4 - tick} min'");
            await Task.WhenAll(workers.Select(worker => worker.TickAsync(EveryMinute, Cancelled)));
            Assert.Equal(tick, (await _queues.TasksAsync("id")).Count);
        }

        Assert.Equal(["True"], await _queues.Postgres.QueryAsync("SELECT next_at > now() AND next_at <= now() + interval '1 min' FROM recurring_tasks"));
    }

    [Fact]
    public async Task Of_ticks_that_passed_while_nobody_was_there_one_is_made_up_for()
    {
        await Worker().TickAsync(EveryMinute, Cancelled);
        await _queues.Postgres.QueryAsync("UPDATE recurring_tasks SET next_at = now() - interval '1 h'");
        Assert.NotNull(await Worker().TickAsync(EveryMinute, Cancelled));
        Assert.Null(await Worker().TickAsync(EveryMinute, Cancelled));
    }

    [Fact]
    public async Task Another_cron_expression_takes_the_place_of_the_former_one()
    {
        await Worker().TickAsync(EveryMinute, Cancelled);
        await Worker().TickAsync(EveryMinute with { Cron = "0 0 1 1 *" }, Cancelled);

        Assert.Equal(["0 0 1 1 *|1|1"], await _queues.Postgres.QueryAsync("SELECT cron, extract(day FROM next_at AT TIME ZONE 'UTC')::int, extract(month FROM next_at AT TIME ZONE 'UTC')::int FROM recurring_tasks"));
    }

    [Fact]
    public async Task A_running_worker_enters_the_platforms_own_recurring_tasks()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        await Eventually.TrueAsync("they are entered", async () => await _queues.Postgres.QueryAsync("SELECT name FROM recurring_tasks ORDER BY name") is ["audit.prune", "audit.seal", "keys.resume", "sessions.clean_up", "webhooks.clean_up"]);
    }

    [Fact]
    public async Task What_is_due_at_first_is_enqueued_as_soon_as_it_is_known()
    {
        await Worker().TickAsync(EveryMinute with { IsDueAtFirst = true }, Cancelled);
        Assert.NotNull(await Worker().TickAsync(EveryMinute with { IsDueAtFirst = true }, Cancelled));
        Assert.Null(await Worker().TickAsync(EveryMinute with { IsDueAtFirst = true }, Cancelled));
    }

    private RecurringTasks Worker() => new([], _queues.Database, _queues.Producer, TimeProvider.System, NullLogger<RecurringTasks>.Instance);
}
