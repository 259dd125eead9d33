using Npgsql;
using StackExchange.Redis;

namespace OpenHands.Worker;

/// <summary>The connection strings of <c>run</c>, checked before anything is started with them.</summary>
internal static class ConnectionStrings
{
    /// <summary>Role <c>openhands_app</c>.</summary>
    public const string App = "openhands";

    /// <summary>Role <c>openhands_app</c> on a session of one's own, not through a transaction pooler; <see cref="App"/> where it is not given.</summary>
    public const string Direct = "openhands-direct";

    /// <summary>Role <c>openhands_system</c>.</summary>
    public const string System = "openhands-system";

    /// <summary>Queues, locks and caches.</summary>
    public const string Redis = "redis";

    private const string Secrets = "secrets";

    /// <summary>Throws when one is missing or cannot be read.</summary>
    /// <exception cref="InvalidOperationException">Names the connection string, and repeats nothing of it.</exception>
    public static void Demand(IConfiguration configuration)
    {
        Demand(configuration, App, value => new NpgsqlConnectionStringBuilder(value));
        Demand(configuration, System, value => new NpgsqlConnectionStringBuilder(value));
        if (configuration.GetConnectionString(Direct) is { Length: > 0 })
            Demand(configuration, Direct, value => new NpgsqlConnectionStringBuilder(value));
        Demand(configuration, Redis, ConfigurationOptions.Parse);
        Demand(configuration, Secrets, value => value);
    }

    private static void Demand(IConfiguration configuration, string name, Func<string, object> parse)
    {
        if (configuration.GetConnectionString(name) is not { Length: > 0 } value)
            throw new InvalidOperationException($"The worker needs the connection string {name}: set ConnectionStrings__{name}.");
        try
        {
            _ = parse(value);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException)
        {
            throw new InvalidOperationException($"The connection string {name} cannot be read: look at ConnectionStrings__{name}.");
        }
    }
}
