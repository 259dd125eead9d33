using StackExchange.Redis;

namespace OpenHands.Storage.Locks;

/// <summary>
/// A lock that this process holds and renews until it is disposed. It is for not doing work twice; what must not be written twice
/// needs a <see cref="FencedLock"/>, since a process can be paused between asking <see cref="IsHeld"/> and writing.
/// </summary>
public sealed class HeldLock : IAsyncDisposable
{
    private readonly RedisLocks _locks;
    private readonly LockWatch _watch;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost = new();

    // Timestamps of the monotonic clock: a wall clock can be set back.
    private long _asked;
    private long _tried;
    private int _renewing;
    private int _released;

    internal HeldLock(RedisLocks locks, LockWatch watch, TimeProvider time, RedisKey key, string owner, LockLease lease, long asked)
    {
        (_locks, _watch, _time, Key, Owner, Lease, _asked, _tried) = (locks, watch, time, key, owner, lease, asked, asked);
        Lost = _lost.Token;
        watch.Add(this);
    }

    /// <summary>
    /// Cancelled when the lock was lost, or when it could not be renewed for so long that Redis may soon drop it. Work under the
    /// lock takes this token. It stays quiet after the release.
    /// </summary>
    public CancellationToken Lost { get; }

    /// <summary>Whether the lock is held at this moment.</summary>
    public bool IsHeld => Volatile.Read(ref _released) == 0 && !Lost.IsCancellationRequested && Age(ref _asked) < Lease.LostAfter;

    internal RedisKey Key { get; }

    internal string Owner { get; }

    internal LockLease Lease { get; }

    /// <summary>Releases the lock, if it is still this holder's. A Redis that does not answer drops it by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _released, 1) == 1)
            return;
        _watch.Remove(this);
        await _locks.ReleaseAsync(Key, Owner);
        // Not disposed: somebody may still ask the token, and without a timer it holds nothing.
    }

    /// <summary>Renews or gives up what is due. Called again and again by <see cref="LockWatch"/>.</summary>
    internal void Look()
    {
        if (Age(ref _asked) >= Lease.LostAfter)
            Lose();
        else if (Age(ref _asked) >= Lease.RenewAfter && Age(ref _tried) >= Lease.RetryAfter && Interlocked.Exchange(ref _renewing, 1) == 0)
            _ = RenewAsync();
    }

    private async Task RenewAsync()
    {
        // Off the thread of the watch, which must not wait for anything.
        await Task.Yield();
        var asked = _time.GetTimestamp();
        Volatile.Write(ref _tried, asked);
        try
        {
            if (await _locks.RenewAsync(this))
                Volatile.Write(ref _asked, asked);
            else
                Lose();
        }
        catch (Exception failure) when (RedisLocks.IsFailure(failure))
        {
            // Tried again soon, and given up in time.
        }
        finally
        {
            Volatile.Write(ref _renewing, 0);
        }
    }

    // The token is cancelled at once; what is registered on it runs elsewhere and cannot hold up the watch.
    private void Lose()
    {
        _watch.Remove(this);
        if (Volatile.Read(ref _released) == 0)
            _ = _lost.CancelAsync();
    }

    private TimeSpan Age(ref long timestamp) => _time.GetElapsedTime(Volatile.Read(ref timestamp));
}
