namespace OpenHands.Storage.RateLimits;

/// <summary>What one caller has used of this process' share of a policy: the same estimate that Redis makes above a limit of 100.</summary>
internal sealed class LocalCounter(ReplicaCount replicas)
{
    private long _index;
    private double _before;
    private double _present;
    private TimeSpan _end;

    /// <summary>Whether nothing of it counts any more.</summary>
    public bool IsOver(TimeSpan now) => now >= _end;

    public RateLimitState Look(RateLimitPolicy policy, int cost, TimeSpan now)
    {
        MoveTo(policy.Window, now);
        var (share, count) = (Share(policy), new SlidingCount(_before, _present, now - (_index * policy.Window), policy.Window));
        // What costs more than the share is allowed when nothing else was; it could never be otherwise.
        var room = share - Math.Min(cost, share);
        var allows = count.Used <= room + SlidingCount.Nearly;
        var remaining = (int)Math.Max(0, Math.Floor(share - count.Used - (allows ? cost : 0)));
        return new RateLimitState(policy, allows, remaining, count.Reset, allows ? TimeSpan.Zero : count.UntilUsed(room));
    }

    public void Add(RateLimitPolicy policy, int cost, TimeSpan now)
    {
        _present += cost;
        _end = (_index + 2) * policy.Window;
    }

    private int Share(RateLimitPolicy policy) => Math.Max(1, policy.Limit / replicas.Count);

    private void MoveTo(TimeSpan window, TimeSpan now)
    {
        var index = now.Ticks / window.Ticks;
        (_before, _present) = (index - _index) switch
        {
            0 => (_before, _present),
            1 => (_present, 0),
            _ => (0, 0),
        };
        _index = index;
    }
}
