using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;
using StackExchange.Redis;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>Who counts as gone, and who does not: tasks of a lost host run elsewhere, those of a worker that PostgreSQL can be reached by do not.</summary>
public sealed class LostWorkerTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Worker, int Task, long Lease)> _starts = new();
    private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_of_a_lost_host_run_elsewhere_after_a_lease_though_it_was_elected_and_its_own_outcome_counts_no_more()
    {
        await using var host = new Network(_queues);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var lost = await WorkerHost.StartAsync(
            _queues,
            async (task, cancellationToken) =>
            {
                await using var stop = cancellationToken.Register(stopped.SetResult);
                _starts.Enqueue(("lost", Number(task), task.LeaseNumber));
                await stopped.Task;
                return new TaskOutcome.Done("lost");
            },
            [.. host.Settings, "Worker:Lease=00:00:01"]);
        await UntilElectedAsync(lost); // nobody else can be until its sessions are ended
        await _queues.EnqueueAsync("q", 1);
        await Eventually.TrueAsync("it runs", () => _starts.Count == 1);
        await using var other = await StartAsync("other", "Worker:Lease=00:00:01");
        _finish.SetResult();

        host.Hold();
        await Eventually.TrueAsync("it has run elsewhere", async () => await _queues.TasksAsync("status", "type = 'test'") is ["done"]);
        Assert.Equal([("lost", 1, 1L), ("other", 1, 2L)], _starts);

        host.Release();
        await stopped.Task.WaitAsync(Cancelled);
        await Eventually.TrueAsync("it says so", () => lost.Logged("which had ended: nothing is recorded") == 1);
        Assert.Equal(["done|other|2|0"], await _queues.TasksAsync("status, result #>> '{}', lease_number, lost", "type = 'test'"));
    }

    [Fact]
    public async Task No_task_is_started_twice_while_the_sessions_of_its_worker_are_ended_over_and_over()
    {
        await using var observer = await ObserverAsync();
        await using var one = await StartAsync("one", "Worker:Concurrency=4");
        await using var other = await StartAsync("other", "Worker:Concurrency=4");
        await _queues.EnqueueAsync("q", [.. Enumerable.Range(0, 8)]);
        await Eventually.TrueAsync("all run", () => _starts.Count == 8);

        for (var i = 0; i < 10; i++)
        {
            foreach (var worker in new[] { one, other })
            {
                var ended = await _queues.Postgres.QueryAsync(
                    $"""
                    WITH of_worker AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE application_name = '{WorkerIdentity.SessionNameOf(worker.Id)}')
                    SELECT pid FROM of_worker WHERE pg_terminate_backend(pid)
                    """);
                Assert.NotEmpty(ended);
                await Eventually.TrueAsync("it holds its lock again", async () => await HoldsLockAsync(worker));
            }
        }

        _finish.SetResult();
        await Eventually.TrueAsync("all are done", async () => (await _queues.TasksAsync("id", "status = 'done' AND type = 'test'")).Count == 8);
        Assert.Equal(Enumerable.Range(0, 8), _starts.Select(start => start.Task).Order());
        Assert.Equal(["1|0"], await _queues.Postgres.QueryAsync("SELECT max(lease_number), max(lost) FROM tasks WHERE type = 'test'"));
    }

    [Fact]
    public async Task Whoever_comes_back_later_than_the_sweeper_after_an_outage_of_both_keeps_its_tasks()
    {
        await using var ofSweeper = new Network(_queues);
        await using var ofWorker = new Network(_queues);
        await using var observer = await ObserverAsync([.. ofSweeper.Settings]);
        await using var worker = await StartAsync("worker", [.. ofWorker.Settings]);
        await _queues.EnqueueAsync("q", 1);
        await Eventually.TrueAsync("it runs", () => _starts.Count == 1);

        await ofWorker.CutAsync();
        await ofSweeper.CutAsync();
        ofSweeper.Mend();
        await UntilElectedAsync(observer);
        // Longer than a free lock is tolerated on the observer's clock, and much shorter than its lease.
        var elected = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync("the sweeper has looked again and again", () => TimeProvider.System.GetElapsedTime(elected) > 5 * Sweeper.FreeFor + TimeSpan.FromSeconds(0.5));
        ofWorker.Mend();
        await Eventually.TrueAsync("it holds its lock again", async () => await HoldsLockAsync(worker));
        _finish.SetResult();

        await Eventually.TrueAsync("it is done", async () => await _queues.TasksAsync("status", "type = 'test'") is ["done"]);
        Assert.Equal(["1|0"], await _queues.TasksAsync("lease_number, lost", "type = 'test'"));
    }

    private Task<WorkerHost> StartAsync(string name, params string[] settings) => WorkerHost.StartAsync(
        _queues,
        async (task, cancellationToken) =>
        {
            _starts.Enqueue((name, Number(task), task.LeaseNumber));
            await _finish.Task.WaitAsync(cancellationToken);
            return new TaskOutcome.Done(name);
        },
        settings);

    /// <summary>A worker that runs nothing, is elected for everything, and measures with a slow clock: a busy machine is no lost worker.</summary>
    private async Task<WorkerHost> ObserverAsync(params string[] settings)
    {
        var observer = await WorkerHost.StartAsync(_queues, services => services.AddSingleton<TimeProvider>(new SlowClock(5)), [.. settings, "Worker:Queues=none"]);
        await UntilElectedAsync(observer);
        return observer;
    }

    private Task UntilElectedAsync(WorkerHost worker) => Eventually.TrueAsync("it is elected", async () => (await _queues.Postgres.QueryAsync(
        $"""
        SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {LockSpaces.Elections} AND l.objid = hashtext('sweep all')::oid
            AND a.application_name = '{WorkerIdentity.SessionNameOf(worker.Id)}' AND a.datname = current_database()
        """)).Count == 1);

    private async Task<bool> HoldsLockAsync(WorkerHost worker) => (await _queues.Postgres.QueryAsync(
        $"""
        SELECT FROM workers w JOIN pg_locks l ON l.objid = w.lock_key::oid AND l.classid = {LockSpaces.Workers} AND l.granted
        WHERE w.id = '{worker.Id}'
        """)).Count == 1;

    private static int Number(QueuedTask task) => int.Parse(task.Payload.ToString(), CultureInfo.InvariantCulture);

    /// <summary>Everything that a worker's host can reach, through cables of ours.</summary>
    private sealed class Network : IAsyncDisposable
    {
        private readonly TcpRelay _postgres;
        private readonly TcpRelay _redis;

        public Network(TestQueues queues)
        {
            var redis = ConfigurationOptions.Parse(queues.Redis.ConnectionString);
            (_postgres, _redis) = (new TcpRelay(queues.Postgres.Port), new TcpRelay(((DnsEndPoint)redis.EndPoints[0]).Port));
            redis.EndPoints.Clear();
            redis.EndPoints.Add(IPAddress.Loopback, _redis.Port);
            (redis.AbortOnConnectFail, redis.AsyncTimeout, redis.SyncTimeout) = (false, 1000, 1000);
            var database = queues.Postgres.Through(_postgres);
            Settings = [$"ConnectionStrings:openhands={database.App}", $"ConnectionStrings:openhands-system={database.System}", $"ConnectionStrings:redis={redis.ToString(includePassword: true)}"];
            Mend();
        }

        public string[] Settings { get; }

        public void Mend()
        {
            _postgres.Open();
            _redis.Open();
        }

        public Task CutAsync() => Task.WhenAll(_postgres.CloseAsync(), _redis.CloseAsync());

        public void Hold()
        {
            _postgres.Hold();
            _redis.Hold();
        }

        public void Release()
        {
            _postgres.Release();
            _redis.Release();
        }

        public async ValueTask DisposeAsync()
        {
            await _postgres.DisposeAsync();
            await _redis.DisposeAsync();
        }
    }
}
