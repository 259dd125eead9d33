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
        var (share, used) = (Share(policy), Used(policy.Window, now));
        // What costs more than the share is allowed when nothing else was; it could never be otherwise.
        var room = share - Math.Min(cost, share);
        var allows = used <= room + 1e-9;
        var remaining = (int)Math.Max(0, Math.Floor(share - used - (allows ? cost : 0)));
        var reset = Wait(Math.Max(0, Math.Ceiling(used - 1e-9) - 1), policy.Window, now);
        return new RateLimitState(policy, allows, remaining, reset, allows ? TimeSpan.Zero : Wait(room, policy.Window, now));
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

    private double Used(TimeSpan window, TimeSpan now) => (_before * (1 - (Elapsed(window, now) / window))) + _present;

    private TimeSpan Elapsed(TimeSpan window, TimeSpan now) => now - (_index * window);

    private TimeSpan Wait(double room, TimeSpan window, TimeSpan now)
    {
        if (Used(window, now) <= room)
            return TimeSpan.Zero;
        return _present <= room
            ? (window * (1 - ((room - _present) / _before))) - Elapsed(window, now)
            : window - Elapsed(window, now) + (window * (1 - (room / _present)));
    }
}
