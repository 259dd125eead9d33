using System.Globalization;
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
    private const int ValuesOfState = 4;

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
        var answer = await redis.TryAsync(database => Limit.RunAsync(database, Keys(callers), Arguments(callers, cost)), cancellationToken);
        return answer is null ? local.Take(callers, cost) : Decision(callers, (int[])answer!); // the script returns numbers
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
        var arguments = new List<RedisValue>(1 + (callers.Count * 3)) { cost };
        foreach (var (policy, _) in callers)
            arguments.AddRange([policy.Limit, policy.Window.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture), policy.IsShadow ? 0 : 1]);
        return [.. arguments];
    }

    private static RateLimitDecision Decision(IReadOnlyList<LimitedCaller> callers, int[] answer)
    {
        var states = new RateLimitState[callers.Count];
        for (var number = 0; number < states.Length; number++)
        {
            var at = 1 + (number * ValuesOfState);
            states[number] = new RateLimitState(
                callers[number].Policy, answer[at] == 1, answer[at + 1], TimeSpan.FromMilliseconds(answer[at + 2]), TimeSpan.FromMilliseconds(answer[at + 3]));
        }

        return new RateLimitDecision(answer[0] == 1, IsDegraded: false, states);
    }
}
