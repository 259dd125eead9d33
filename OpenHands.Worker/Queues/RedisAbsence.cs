using StackExchange.Redis;

namespace OpenHands.Worker.Queues;

/// <summary>Tells "Redis cannot be used now, try again" from an error of ours.</summary>
internal static class RedisAbsence
{
    /// <summary>True for lost connections, timeouts and refusals (loading, read-only, out of memory).</summary>
    public static bool Explains(Exception failure) => failure is RedisException or TimeoutException or ObjectDisposedException;
}
