namespace OpenHands.Storage.RateLimits;

/// <summary>
/// Limits while Redis is gone: each process to its share of every limit, so that all together let through no more than one limit.
/// Policies that are closed without Redis refuse everything.
/// </summary>
public sealed class LocalLimits(ReplicaCount replicas, TimeProvider time)
{
    /// <summary>When to ask again where everything is refused.</summary>
    private static readonly TimeSpan Closed = TimeSpan.FromSeconds(5);

    // About 200 bytes each. Whoever comes when it is full shares one counter with all others who do.
    private const int Most = 20_000;
    private const string Others = "";

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Policy, string Id), LocalCounter> _counters = [];
    private long _swept;

    /// <summary>Counts a request, if it is allowed.</summary>
    internal RateLimitDecision Take(IReadOnlyList<LimitedCaller> callers, int cost)
    {
        lock (_lock)
        {
            var now = time.GetElapsedTime(0);
            var counters = callers.Select(caller => caller.Policy.IsClosedWithoutRedis ? null : Counter(caller, now)).ToList();
            var states = callers.Select((caller, number) => counters[number]?.Look(caller.Policy, cost, now) ?? Refusal(caller.Policy)).ToList();
            var isAllowed = states.All(state => state.Allows || state.Policy.IsShadow);
            if (!isAllowed)
                return new RateLimitDecision(isAllowed, IsDegraded: true, states);

            for (var number = 0; number < states.Count; number++)
            {
                if (states[number].Allows)
                    counters[number]?.Add(states[number].Policy, cost, now);
            }

            return new RateLimitDecision(isAllowed, IsDegraded: true, states);
        }
    }

    private static RateLimitState Refusal(RateLimitPolicy policy) => new(policy, Allows: false, Remaining: 0, Closed, Closed);

    private LocalCounter Counter(LimitedCaller caller, TimeSpan now)
    {
        var name = (caller.Policy.Name, caller.Id);
        if (_counters.TryGetValue(name, out var known))
            return known;
        if (_counters.Count >= Most)
            Sweep(now);
        if (_counters.Count >= Most)
            name = (caller.Policy.Name, Others);
        if (!_counters.TryGetValue(name, out var counter))
            _counters[name] = counter = new LocalCounter(replicas);
        return counter;
    }

    // At most once a second: a flood of new callers must not make every one of them look at all others.
    private void Sweep(TimeSpan now)
    {
        if (time.GetElapsedTime(_swept) < TimeSpan.FromSeconds(1))
            return;
        _swept = time.GetTimestamp();
        foreach (var (name, counter) in _counters)
        {
            if (counter.IsOver(now))
                _counters.Remove(name);
        }
    }
}
