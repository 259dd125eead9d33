namespace OpenHands.Storage.Locks;

/// <summary>How long a lock lives in Redis, and when its holder renews it and gives it up. All times count from before Redis was asked.</summary>
internal sealed record LockLease
{
    /// <summary>Long enough for a holder that stalls a little, short enough to wait for one that died.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(10);

    /// <summary>Below it, the margin would be what a busy machine may take to notice anything.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>Takes a lifetime, or the default for null.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than half a second or longer than a day.</exception>
    public LockLease(TimeSpan? lifetime)
    {
        Lifetime = lifetime ?? Default;
        ArgumentOutOfRangeException.ThrowIfLessThan(Lifetime, Shortest, nameof(lifetime));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Lifetime, Longest, nameof(lifetime));
    }

    /// <summary>When Redis drops the lock by itself.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>When it is renewed.</summary>
    public TimeSpan RenewAfter => Lifetime / 3;

    /// <summary>When it is renewed again after an attempt that failed.</summary>
    public TimeSpan RetryAfter => Lifetime / 12;

    /// <summary>
    /// When the holder counts it as lost unless it was renewed: a fifth before Redis drops it, for clocks that do not run alike
    /// and a machine that is slow to tell.
    /// </summary>
    public TimeSpan LostAfter => Lifetime - (Lifetime / 5);
}
