using OpenHands.Storage.Caching;
using OpenHands.Storage.Queues;
using StackExchange.Redis;

namespace OpenHands.Worker.Operators;

/// <summary>As much of the worker as a command of an operator needs.</summary>
internal static class OperatorServices
{
    /// <summary>Builds it.</summary>
    /// <param name="system">Connection string <c>openhands-system</c>.</param>
    /// <param name="redis">Connection string <c>redis</c>; null for none.</param>
    public static ServiceProvider Build(string system, string? redis)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System);
        if (redis is { Length: > 0 })
            services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(redis + ",abortConnect=false"));
        services.AddSingleton(_ => new QueueDatabase(system, system));
        services.AddSingleton<RedisGate>();
        services.AddSingleton<QueueWindow>();
        services.AddSingleton<SystemTaskQueue>();
        services.AddSingleton<SystemQueues>();
        services.AddSingleton<QueueRules>();
        return services.BuildServiceProvider();
    }
}
