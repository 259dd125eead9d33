using System.Text.Json.Nodes;
using OpenHands.Storage;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Storage.Tenancy;
using OpenHands.Worker.Maintenance;

namespace OpenHands.Tests.Support;

/// <summary>Queues that one test has to itself: a database and a Redis of its own, reached as producers, workers and operators do.</summary>
internal sealed class TestQueues : IAsyncDisposable
{
    private TestQueues(TestDatabase postgres, RedisDatabase redis)
    {
        (Postgres, Redis) = (postgres, redis);
        Database = new QueueDatabase(postgres.System, postgres.App);
        Producer = new SystemTaskQueue(Database, redis.Window, TimeProvider.System);
        Joint = new JointInserts(redis.Window);
        Registry = new WorkerRegistry(Database);
        Waiting = new WaitingTasks(Database);
    }

    public TestDatabase Postgres { get; }

    public RedisDatabase Redis { get; }

    public QueueDatabase Database { get; }

    /// <summary>Enqueues tasks of the platform itself.</summary>
    public SystemTaskQueue Producer { get; }

    /// <summary>Where tenants' tasks come together that are enqueued at the same time.</summary>
    public JointInserts Joint { get; }

    public WorkerRegistry Registry { get; }

    public WaitingTasks Waiting { get; }

    /// <summary>Settings of a worker on these queues.</summary>
    public IReadOnlyList<string> Settings =>
    [
        $"ConnectionStrings:redis={Redis.ConnectionString}", $"ConnectionStrings:openhands={Postgres.App}",
        $"ConnectionStrings:openhands-system={Postgres.System}", $"ConnectionStrings:secrets={new string('k', 43)}",
    ];

    public static async Task<TestQueues> CreateAsync(DatabaseServer server, RedisFixture redis) =>
        new(await server.CreateMigratedAsync(), await redis.CreateDatabaseAsync());

    /// <summary>On servers that the test may crash.</summary>
    public static TestQueues Of(TestDatabase postgres, RedisDatabase redis) => new(postgres, redis);

    /// <summary>Enqueues tasks of type <c>test</c> with these payloads.</summary>
    public Task<IReadOnlyList<string>> EnqueueAsync(string queue, params int[] payloads) => Producer.EnqueueAsync(
        [.. payloads.Select(payload => new NewTask(queue, "test", JsonValue.Create(payload)))], Cancelled);

    /// <summary>What a worker has that is entered, but runs nothing by itself.</summary>
    public async Task<TaskLeases> EnterAsync(string id)
    {
        await Registry.EnterAsync(new RegisteredWorker(id, "here", 1, 8, "*", Math.Abs(id.GetHashCode(StringComparison.Ordinal) / 2)), Cancelled);
        return new TaskLeases(Database, id);
    }

    /// <summary>Lets the worker count as gone.</summary>
    public Task RescueAsync(string id, int mostLosses = 5) => Registry.RescueAsync([id], mostLosses, Cancelled);

    /// <summary>One column of all tasks, in the order of their ids; without those that every worker brings by itself.</summary>
    public Task<IReadOnlyList<string>> TasksAsync(string columns, string where = "true") =>
        Postgres.QueryAsync($"SELECT {columns} FROM tasks WHERE ({where}) AND type NOT IN ('{SealAudit.Type}', '{PruneAudit.Type}', '{ResumeRotations.Type}') ORDER BY id");

    /// <summary>Waits until no task waits, runs or is scheduled, and Redis holds none.</summary>
    public Task UntilDrainedAsync() => Eventually.TrueAsync("all queues are drained", async () =>
        await TasksAsync("id", "status IN ('waiting', 'scheduled', 'leased')") is []
        && !(await Redis.AllKeysAsync()).Any(key => (key.StartsWith("queue:", StringComparison.Ordinal) && key != RedisKeys.Queue(MaintenanceQueue.Name)) || key.StartsWith("adopting:", StringComparison.Ordinal)));

    /// <summary>The producer of a tenant, in a context of its own.</summary>
    public (OpenHandsDb Db, TaskQueue Queue) Tenant(string user, string? organization = null)
    {
        var db = Postgres.Open(user, organization);
        var tenant = new TenantContext();
        tenant.Enter(user, organization);
        return (db, new TaskQueue(db, tenant, Redis.Window, Joint, TimeProvider.System));
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await Redis.DisposeAsync();
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;
}
