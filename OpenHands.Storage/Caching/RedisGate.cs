using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.Caching;

/// <summary>
/// Asks Redis and gives up soon: what stands behind it is faster than waiting. After a failure it is left alone for a second, so
/// that not every request waits for a server that is gone.
/// </summary>
public sealed partial class RedisGate(IServiceProvider services, TimeProvider time, ILogger<RedisGate> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private long _closedAt;
    private int _closed;

    /// <summary>How long to wait for an answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs a command.</summary>
    /// <returns>Its result; null when Redis did not answer in time.</returns>
    public async Task<RedisResult?> TryAsync(Func<IDatabase, Task<RedisResult>> command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Volatile.Read(ref _closed) == 1 && time.GetElapsedTime(Volatile.Read(ref _closedAt)) < Pause)
            return null;

        try
        {
            // Resolved late: a service without Redis configured starts, and is slower.
            var redis = services.GetRequiredService<IConnectionMultiplexer>();
            if (!redis.IsConnected)
                throw new TimeoutException("Redis is not connected.");
            var result = await command(redis.GetDatabase()).WaitAsync(Patience, time, cancellationToken);
            if (Interlocked.Exchange(ref _closed, 0) == 1)
                Opened(logger);
            return result;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or InvalidOperationException or ObjectDisposedException)
        {
            Volatile.Write(ref _closedAt, time.GetTimestamp());
            if (Interlocked.Exchange(ref _closed, 1) == 0)
                Closed(logger, failure.Message);
            return null;
        }
    }

    /// <summary>Runs a script.</summary>
    /// <returns>Its result; null when Redis did not answer in time.</returns>
    internal Task<RedisResult?> TryAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken) =>
        TryAsync(database => script.RunAsync(database, keys, arguments), cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer, it is done without: {Reason}")]
    private static partial void Closed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis answers again.")]
    private static partial void Opened(ILogger logger);
}
