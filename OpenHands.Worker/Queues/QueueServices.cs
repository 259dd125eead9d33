using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;
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
            host.ShutdownTimeout = worker.Value.ShutdownTimeout + QueueDrainer.HandBackTime + TimeSpan.FromSeconds(1));

        services.AddSingleton(provider => new DeadLetterStore(
            builder.Configuration.GetConnectionString(ConnectionStrings.System)!, // demanded before
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new TaskQueues(
            provider.GetRequiredService<IConnectionMultiplexer>(), WorkerId(), provider.GetRequiredService<IOptions<WorkerOptions>>().Value.HeartbeatTimeout));
        services.AddSingleton<QueueDiscovery>();
        services.AddSingleton(provider => new QueueFilter(provider.GetRequiredService<IOptions<WorkerOptions>>().Value.Queues));
        services.AddSingleton<KnownQueues>();
        services.AddSingleton<WorkerMetrics>();
        services.AddSingleton<TaskHandlers>();
        services.AddSingleton<DeadLetters>();
        services.AddSingleton<TaskSettlement>();
        services.AddSingleton<TaskRunner>();
        services.AddSingleton<TaskSource>();
        services.AddSingleton<Heartbeat>();
        services.AddTaskHandlers();

        // They stop in reverse: the heartbeat outlives what it vouches for.
        services.AddHostedService(provider => provider.GetRequiredService<Heartbeat>());
        services.AddHostedService<QueueScanner>();
        services.AddHostedService<QueueDrainer>();
    }

    /// <summary>The task types of this worker, one line each.</summary>
    private static void AddTaskHandlers(this IServiceCollection services)
    {
        services.AddTaskHandler<NoopHandler>(NoopHandler.Type);
    }

    // Unique for every start: what an earlier process of the same name left is not ours.
    private static string WorkerId() => $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.CreateVersion7():N}";
}
