using System.Collections.Frozen;

namespace OpenHands.Worker.Queues;

/// <summary>The task types that this worker has a handler for.</summary>
internal sealed class TaskHandlers(IEnumerable<TaskHandlers.Entry> entries)
{
    private readonly FrozenSet<string> _types = entries.Select(entry => entry.Type).ToFrozenSet();

    /// <summary>True when there is a handler for the type.</summary>
    public bool Knows(string type) => _types.Contains(type);

    /// <summary>Makes the handler for a known type within a scope.</summary>
    public static ITaskHandler Create(string type, IServiceProvider scope) => scope.GetRequiredKeyedService<ITaskHandler>(type);

    /// <summary>One registered type.</summary>
    internal sealed record Entry(string Type);
}

/// <summary>Registers handlers.</summary>
internal static class TaskHandlerServices
{
    /// <summary>Lets <typeparamref name="THandler"/> do the tasks of a type; one handler per type.</summary>
    public static IServiceCollection AddTaskHandler<THandler>(this IServiceCollection services, string type)
        where THandler : class, ITaskHandler
    {
        if (services.Any(service => service.IsKeyedService && service.ServiceType == typeof(ITaskHandler) && type.Equals(service.ServiceKey)))
            throw new InvalidOperationException($"There is already a handler for tasks of type {type}.");
        services.AddKeyedScoped<ITaskHandler, THandler>(type);
        services.AddSingleton(new TaskHandlers.Entry(type));
        return services;
    }
}
