using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Tenancy;
using OpenHands.Worker;
using OpenHands.Worker.Queues;

namespace OpenHands.Benchmarks.Queues;

/// <summary>The queue of this platform: the real worker, which also enqueues as the API does, for a tenant.</summary>
internal sealed class OurQueue : IClientQueue
{
    /// <summary>The user as whom it enqueues.</summary>
    public const string User = "benchmark";

    private const string Type = "benchmark";

    private static readonly TimeSpan RuleAge = TimeSpan.FromSeconds(1.5); // until the worker surely knows

    private readonly WebApplication _worker;
    private readonly Acknowledgements _acknowledgements = new();
    private readonly Starts _starts = new();

    public OurQueue(QueueSettings settings)
    {
        string[] args =
        [
            "--urls=http://127.0.0.1:0", "--environment=Production", "--Logging:LogLevel:Default=Warning",
            $"--ConnectionStrings:openhands={Patient(settings.App)}", $"--ConnectionStrings:openhands-system={Patient(settings.System)}",
            $"--ConnectionStrings:redis={settings.Redis}", $"--ConnectionStrings:secrets={new string('k', 43)}",
            $"--Worker:Concurrency={QueueClientCommand.Concurrency}", $"--Worker:Queues={QueueClientCommand.Queue}", "--Redis:Patience=00:00:30",
        ];
        _worker = WorkerApplication.Build(args, services =>
        {
            services.AddSingleton(_starts);
            services.AddTaskHandler<CountingHandler>(Type);
        });
    }

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await PauseAsync(isPaused: true, cancellationToken);
        await _worker.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public async Task AddAsync(int task, CancellationToken cancellationToken)
    {
        await using var scope = EnterTenant();
        await scope.ServiceProvider.GetRequiredService<TaskQueue>().EnqueueAsync(QueueClientCommand.Queue, Type, task, cancellationToken);
    }

    /// <summary>Enqueues a task in a transaction of the caller's own.</summary>
    /// <returns>The timestamp of the moment in which it was known to be committed.</returns>
    public Task<long> CommitAsync(int task, CancellationToken cancellationToken) => InTransactionAsync(
        (_, queue) => queue.EnqueueAsync(QueueClientCommand.Queue, Type, task, cancellationToken), cancellationToken);

    /// <summary>Does something in a tenant's transaction.</summary>
    /// <returns>The timestamp of the moment in which it was known to be committed.</returns>
    public async Task<long> InTransactionAsync(Func<OpenHandsDb, TaskQueue, Task> act, CancellationToken cancellationToken)
    {
        await using var scope = EnterTenant();
        var (db, committedAt) = (scope.ServiceProvider.GetRequiredService<OpenHandsDb>(), 0L);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        db.AfterCommit.Add(() =>
        {
            committedAt = TimeProvider.System.GetTimestamp();
            return Task.CompletedTask;
        });
        await act(db, scope.ServiceProvider.GetRequiredService<TaskQueue>());
        await transaction.CommitAsync(cancellationToken);
        return committedAt;
    }

    /// <inheritdoc />
    public async Task<IAsyncDisposable> WorkAsync(Action<int> started, Action acknowledged, CancellationToken cancellationToken)
    {
        (_starts.Started, _acknowledgements.Acknowledged) = (started, acknowledged);
        await PauseAsync(isPaused: false, cancellationToken);
        return new Work(this);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _acknowledgements.Dispose();
        await _worker.DisposeAsync();
    }

    // A busy machine is no lost database.
    private static string Patient(string? connection) => $"{connection};Timeout=30;Command Timeout=30;Internal Command Timeout=30";

    private AsyncServiceScope EnterTenant()
    {
        var scope = _worker.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<TenantContext>().Enter(User);
        return scope;
    }

    private Task PauseAsync(bool isPaused, CancellationToken cancellationToken) =>
        _worker.Services.GetRequiredService<QueueRules>().SetAsync(new QueueRule(QueueClientCommand.Queue, isPaused, null, null), cancellationToken);

    /// <summary>Whom to tell of tasks that start.</summary>
    private sealed class Starts
    {
        public Action<int> Started { get; set; } = _ => { };
    }

    private sealed class CountingHandler(Starts starts) : ITaskHandler
    {
        public Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
        {
            starts.Started(task.Payload.GetInt32());
            return Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
        }
    }

    // The worker measures how long a task took once its outcome is recorded.
    private sealed class Acknowledgements : IDisposable
    {
        private readonly MeterListener _listener = new();

        public Acknowledgements()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == WorkerMetrics.Name && instrument.Name == "messaging.process.duration")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((_, _, _, _) => Acknowledged());
            _listener.Start();
        }

        public Action Acknowledged { get; set; } = () => { };

        public void Dispose() => _listener.Dispose();
    }

    private sealed class Work(OurQueue queue) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await queue.PauseAsync(isPaused: true, CancellationToken.None);
            await Task.Delay(RuleAge, TimeProvider.System, CancellationToken.None);
        }
    }
}
