using System.Buffers.Binary;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.RateLimits;

/// <summary>
/// Limits callers over all replicas, as <c>ratelimit:{policy}:{id}</c> in Redis: one script and one round trip for all policies of a
/// request, by Redis' own clock. What is refused counts under no policy. Without Redis, this process limits alone, to its share.
/// </summary>
public sealed class RateLimiter(RedisGate redis, LocalLimits local)
{
    // As LimitRequest.lua has them.
    private const int MostExact = 100;
    private const long CountUnit = 1 << 26;
    private const int NumberBytes = 6;
    private const int StateBytes = 3 * NumberBytes;

    private static readonly RedisScript Limit = RedisScript.Load("LimitRequest.lua");

    /// <summary>Counts a request, if it is allowed.</summary>
    /// <param name="callers">The caller under each policy; at least one.</param>
    /// <param name="cost">What the request costs, 1 or more.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<RateLimitDecision> TakeAsync(IReadOnlyList<LimitedCaller> callers, int cost, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(callers);
        ArgumentOutOfRangeException.ThrowIfZero(callers.Count, nameof(callers));
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, 1);
        var answer = await redis.TryAsync(Limit, Keys(callers), Arguments(callers, cost), cancellationToken);
        return answer is null ? local.Take(callers, cost) : Decision(callers, cost, (byte[])answer!); // the script returns a string
    }

    private static RedisKey[] Keys(IReadOnlyList<LimitedCaller> callers)
    {
        var keys = new RedisKey[callers.Count];
        for (var number = 0; number < keys.Length; number++)
            keys[number] = RedisKeys.RateLimit(callers[number].Policy.Name, callers[number].Id);
        return keys;
    }

    private static RedisValue[] Arguments(IReadOnlyList<LimitedCaller> callers, int cost)
    {
        var arguments = new RedisValue[1 + callers.Count];
        arguments[0] = cost;
        for (var number = 0; number < callers.Count; number++)
            arguments[number + 1] = Packed(callers[number].Policy);
        return arguments;
    }

    private static byte[] Packed(RateLimitPolicy policy)
    {
        // The upper half of a window's 8 bytes is overwritten by the limit: no window is longer than 6 bytes can say.
        var packed = new byte[4 + NumberBytes];
        BinaryPrimitives.WriteInt64BigEndian(packed.AsSpan(2), (long)policy.Window.TotalMilliseconds);
        BinaryPrimitives.WriteInt32BigEndian(packed, policy.IsShadow ? -policy.Limit : policy.Limit);
        return packed;
    }

    private static RateLimitDecision Decision(IReadOnlyList<LimitedCaller> callers, int cost, byte[] answer)
    {
        var isAllowed = true;
        for (var number = 0; number < callers.Count; number++)
            isAllowed &= callers[number].Policy.IsShadow || Number(answer, number, 2) == 0;

        var states = new RateLimitState[callers.Count];
        for (var number = 0; number < states.Length; number++)
        {
            var (policy, count, time, wait) = (callers[number].Policy, Number(answer, number, 0), Number(answer, number, 1), Number(answer, number, 2));
            states[number] = policy.Limit <= MostExact
                ? Exact(policy, count, time, wait, isAllowed && wait == 0 ? cost : 0)
                : Estimated(policy, count, time, wait == 0, cost, isAllowed && wait == 0 ? cost : 0);
        }

        return new RateLimitDecision(isAllowed, IsDegraded: false, states);
    }

    private static RateLimitState Exact(RateLimitPolicy policy, long used, long untilOldestIsOver, long wait, int added) => new(
        policy, wait == 0, (int)Math.Max(0, policy.Limit - used - added),
        used + added > 0 ? TimeSpan.FromMilliseconds(untilOldestIsOver) : TimeSpan.Zero, TimeSpan.FromMilliseconds(wait));

    private static RateLimitState Estimated(RateLimitPolicy policy, long counted, long life, bool allows, int cost, int added)
    {
        var elapsed = (2 * policy.Window) - TimeSpan.FromMilliseconds(life);
        var count = new SlidingCount(counted / CountUnit, (counted % CountUnit) - cost + added, elapsed, policy.Window);
        return new RateLimitState(policy, allows, count.Remaining(policy.Limit), count.Reset, allows ? TimeSpan.Zero : count.UntilUsed(policy.Limit - cost));
    }

    private static long Number(byte[] answer, int state, int number)
    {
        var at = (state * StateBytes) + (number * NumberBytes);
        return ((long)BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(at)) << 32) | BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(at + 2));
    }
}
