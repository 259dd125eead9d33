using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Webhooks;
using OpenHands.Worker.Sessions;
using OpenHands.Worker.Webhooks;
using StackExchange.Redis;

namespace OpenHands.Worker.Queues;

/// <summary>Adds the draining of queues and its handlers.</summary>
internal static class QueueServices
{
    /// <summary>Adds everything that <c>run</c> does beside its health endpoints.</summary>
    public static void AddQueues(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<WorkerOptions>().BindConfiguration(WorkerOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<WorkerOptions>>((host, worker) =>
        {
            host.ShutdownTimeout = worker.Value.ShutdownTimeout + QueueDrainer.HandBackTime + TimeSpan.FromSeconds(2);
            host.ServicesStopConcurrently = false;
        });

        services.AddQueueStores(builder.Configuration);
        services.AddSingleton(provider => new TaskLeases(provider.GetRequiredService<QueueDatabase>(), provider.GetRequiredService<WorkerIdentity>().Id));
        services.AddSingleton(provider => new QueueDiscovery(provider.GetRequiredService<IConnectionMultiplexer>()));
        services.AddSingleton(provider => new QueueFilter(provider.GetRequiredService<IOptions<WorkerOptions>>().Value.Queues));
        services.AddSingleton<WorkerIdentity>();
        services.AddSingleton<KnownQueues>();
        services.AddSingleton<WorkerMetrics>();
        services.AddSingleton<TaskHandlers>();
        services.AddSingleton<RunningTasks>();
        services.AddSingleton<QueueCounts>();
        services.AddSingleton<QueueRulebook>();
        services.AddSingleton<LeaseCheck>();
        services.AddSingleton<Adopter>();
        services.AddSingleton<TaskSettler>();
        services.AddSingleton<TaskRunner>();
        services.AddSingleton<RedisOutage>();
        services.AddSingleton<TaskSource>();
        services.AddKeyedSingleton(QueueDrainer.Reserved, (provider, _) => ActivatorUtilities.CreateInstance<TaskSource>(
            provider, new KnownQueues(new QueueFilter(MaintenanceQueue.Name), provider.GetRequiredService<TimeProvider>())));
        services.AddScoped<TaskProgress>();
        services.AddSingleton<IElectedDuty, QueueFeeder>();
        services.AddSingleton<IElectedDuty, Sweeper>();
        services.AddSingleton<IElectedDuty, Upkeep>();
        services.AddSingleton<RescueTasks>();
        services.AddSingleton<LastOutage>();
        services.AddSingleton<RecurringTasks>();
        services.AddSingleton<IElectedDuty>(provider => provider.GetRequiredService<RecurringTasks>());
        services.AddSingleton<QueueSignals>();
        services.AddSingleton<WorkerSession>();
        services.AddTaskHandlers();

        // They stop in reverse: the session outlives what it vouches for.
        services.AddHostedService(provider => provider.GetRequiredService<WorkerSession>());
        services.AddHostedService(provider => provider.GetRequiredService<QueueSignals>());
        services.AddHostedService<PoolWarning>();
        services.AddHostedService<Elections>();
        services.AddHostedService<QueueScanner>();
        services.AddHostedService<DatabaseScanner>();
        services.AddHostedService<QueueDrainer>();
    }

    /// <summary>Adds what reaches the tables of the queues as the role <c>openhands_system</c>.</summary>
    public static void AddQueueStores(this IServiceCollection services, IConfiguration configuration)
    {
        var (system, direct) = (configuration.GetConnectionString(ConnectionStrings.System), configuration.GetConnectionString(ConnectionStrings.Direct));
        services.AddSingleton(_ => new QueueDatabase(system!, direct is { Length: > 0 } ? direct : configuration.GetConnectionString(ConnectionStrings.App)!)); // demanded before
        services.AddSingleton<SystemTaskQueue>();
        services.AddSingleton<TaskAdoption>();
        services.AddSingleton<WaitingTasks>();
        services.AddSingleton<WorkerRegistry>();
        services.AddSingleton<QueueRules>();
        services.AddSingleton<QueueMinutes>();
        services.AddSingleton<QueueUpkeep>();
        services.AddSingleton<SystemQueues>();
    }

    /// <summary>The task types of this worker, one line each.</summary>
    private static void AddTaskHandlers(this IServiceCollection services)
    {
        services.AddTaskHandler<NoopHandler>(NoopHandler.Type);
        services.AddTaskHandler<SessionCleanUp>(SessionCleanUp.Type);
        services.AddSingleton(SessionCleanUp.Hourly);
        services.AddTaskHandler<WebhookHandler>(WebhookTask.Type);
        services.AddTaskHandler<WebhookCleanUp>(WebhookCleanUp.Type);
        services.AddSingleton(WebhookCleanUp.Nightly);
        services.AddSingleton<WebhookLog>();
        services.AddSingleton<WebhookSender>();
        services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section).ValidateDataAnnotations().ValidateOnStart();
    }
}
