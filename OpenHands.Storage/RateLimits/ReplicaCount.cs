using Microsoft.Extensions.Hosting;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Redis;

namespace OpenHands.Storage.RateLimits;

/// <summary>How many replicas share the limits. Each says every five seconds in Redis that it is there; when Redis is gone, the last count holds.</summary>
public sealed class ReplicaCount(RedisGate redis, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(20);

    private static readonly RedisScript Enter = RedisScript.Load("CountReplicas.lua");
    private static readonly RedisScript Leave = RedisScript.Load("LeaveReplicas.lua");

    private readonly string _id = $"{Guid.CreateVersion7():n}";
    private int _count = 1;

    /// <summary>1 until Redis was asked for the first time.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await redis.TryAsync(Leave, [RedisKeys.Replicas], [_id], cancellationToken);
    }

    internal async Task CountAsync(CancellationToken cancellationToken)
    {
        if (await redis.TryAsync(Enter, [RedisKeys.Replicas], [_id, (long)Lifetime.TotalMilliseconds], cancellationToken) is { } count)
            Volatile.Write(ref _count, (int)count);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
            await CountAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
