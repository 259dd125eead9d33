#if !ASPIRE_PACKAGES // starts a PostgreSQL of its own, to crash it
using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>PostgreSQL away under long tasks, however it goes away: none is started twice. TEST_SCALE=1 takes the lease that workers have and 15 s.</summary>
public sealed class OutageTests(DatabaseServer server, RedisFixture redis)
{
    private const int Tasks = 100;

    private static readonly bool IsFullScale = Environment.GetEnvironmentVariable("TEST_SCALE") == "1";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(IsFullScale ? 5 : 1);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(IsFullScale ? 15 : 1.5);

    private readonly ConcurrentDictionary<int, int> _starts = new();
    private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task None_is_started_twice_when_every_connection_is_cut()
    {
        var database = await server.CreateMigratedAsync();
        await using var relay = new TcpRelay(database.Port);
        relay.Open();
        await RunAsync(database, database.Through(relay), relay.CloseAsync, () =>
        {
            relay.Open();
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task None_is_started_twice_when_PostgreSQL_hangs()
    {
        var database = await server.CreateMigratedAsync();
        await using var relay = new TcpRelay(database.Port);
        relay.Open();
        await RunAsync(database, database.Through(relay), () => Now(relay.Hold), () => Now(relay.Release));
    }

    [Fact]
    public async Task None_is_started_twice_when_PostgreSQL_is_killed_and_restarted()
    {
        await using var own = new DatabaseServer();
        var database = await own.CreateMigratedAsync();
        await RunAsync(database, database, own.CrashAsync, own.StartAgainAsync);
    }

    private static Task Now(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private async Task RunAsync(TestDatabase database, TestDatabase seen, Func<Task> goAsync, Func<Task> comeBackAsync)
    {
        await using var queues = TestQueues.Of(seen, await redis.CreateDatabaseAsync());
        await using var one = await StartAsync(queues);
        await using var other = await StartAsync(queues);
        await queues.EnqueueAsync("q", [.. Enumerable.Range(0, Tasks)]);
        await Eventually.TrueAsync("all run", () => _starts.Count == Tasks);

        await goAsync();
        await Task.Delay(Outage, TimeProvider.System, TestContext.Current.CancellationToken); // the fault itself
        await comeBackAsync();
        await Eventually.TrueAsync("both workers are back", async () =>
            await TryQueryAsync(database, "SELECT count(*) FROM workers WHERE last_seen_at > clock_timestamp() - interval '500 ms'") is ["2"]);
        // In which whoever was taken for gone would have lost its tasks.
        var later = (await database.QueryAsync($"SELECT clock_timestamp() + interval '{2 * Lease}'")).Single();
        await Eventually.TrueAsync("both have gone on for two leases", async () =>
            await TryQueryAsync(database, $"SELECT count(*) FROM workers WHERE last_seen_at > '{later}'") is ["2"]);
        _finish.SetResult();
        await Eventually.TrueAsync("all are done", async () => (await database.QueryAsync("SELECT id FROM tasks WHERE status = 'done' AND type = 'test'")).Count == Tasks);

        Assert.Equal(Enumerable.Range(0, Tasks).ToDictionary(number => number, _ => 1), _starts);
        Assert.Equal(["1|0|100"], await database.QueryAsync("SELECT max(lease_number), max(lost), count(*) FROM tasks WHERE type = 'test'"));
    }

    private Task<WorkerHost> StartAsync(TestQueues queues) => WorkerHost.StartAsync(
        queues,
        services =>
        {
            services.AddScoped(_ => this);
            services.AddKeyedScoped<ITaskHandler, Long>("test");
            services.AddSingleton(new TaskHandlers.Entry("test"));
            if (!IsFullScale)
                services.AddSingleton<TimeProvider>(new SlowClock(5));
        },
        $"Worker:Lease={Lease}", $"Worker:Concurrency={Tasks / 2}");

    private static async Task<IReadOnlyList<string>> TryQueryAsync(TestDatabase database, string query)
    {
        try
        {
            return await database.QueryAsync(query);
        }
        catch (Npgsql.NpgsqlException)
        {
            return [];
        }
    }

    private sealed class Long(OutageTests test) : ITaskHandler
    {
        public async Task<TaskOutcome> HandleAsync(OpenHands.Storage.Queues.QueuedTask task, CancellationToken cancellationToken)
        {
            test._starts.AddOrUpdate(int.Parse(task.Payload.ToString(), CultureInfo.InvariantCulture), 1, (_, starts) => starts + 1);
            await test._finish.Task.WaitAsync(cancellationToken);
            return new TaskOutcome.Done();
        }
    }
}
#endif
