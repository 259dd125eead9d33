using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Hangfire.Redis.StackExchange;
using Hangfire.States;
using Hangfire.Storage;

namespace OpenHands.Benchmarks.Queues;

/// <summary>Hangfire, with one of its storages.</summary>
internal sealed class HangfireQueue(JobStorage storage) : IClientQueue
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private static Action<int> _started = _ => { };

    private readonly BackgroundJobClient _client = new(storage);

    // All of its calls block a thread: with as few as there are cores, Redis' answers would find none.
    static HangfireQueue() => ThreadPool.SetMinThreads(64, 64);

    /// <summary>Keeps jobs in PostgreSQL.</summary>
    public static JobStorage InPostgres(string connectionString)
    {
        var options = new PostgreSqlStorageOptions { QueuePollInterval = Poll };
        return new PostgreSqlStorage(new NpgsqlConnectionFactory($"{connectionString};Maximum Pool Size=40", options), options);
    }

    /// <summary>Keeps jobs in Redis.</summary>
    public static JobStorage InRedis(string connectionString) => new RedisStorage($"{connectionString},syncTimeout=30000");

    /// <summary>What a job calls.</summary>
    public static void Handle(int task) => _started(task);

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task AddAsync(int task, CancellationToken cancellationToken)
    {
        _client.Enqueue(() => Handle(task)); // it has no other way than to block
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<IAsyncDisposable> WorkAsync(Action<int> started, Action acknowledged, CancellationToken cancellationToken)
    {
        _started = started;
        GlobalJobFilters.Filters.Add(new Acknowledgement(acknowledged));
        return Task.FromResult<IAsyncDisposable>(new Work(new BackgroundJobServer(
            new BackgroundJobServerOptions { WorkerCount = QueueClientCommand.Concurrency, SchedulePollingInterval = TimeSpan.FromSeconds(15) }, storage)));
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        (storage as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    // Called in the transaction that records the end of a job, a moment before it commits.
    private sealed class Acknowledgement(Action acknowledged) : IApplyStateFilter
    {
        public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
        {
            if (context.NewState is SucceededState)
                acknowledged();
        }

        public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
        {
        }
    }

    private sealed class Work(BackgroundJobServer server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            GlobalJobFilters.Filters.Remove(GlobalJobFilters.Filters.Single(filter => filter.Instance is Acknowledgement).Instance);
            server.SendStop();
            await server.WaitForShutdownAsync(CancellationToken.None);
            server.Dispose();
        }
    }
}
