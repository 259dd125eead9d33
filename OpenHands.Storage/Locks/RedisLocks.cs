using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.Locks;

/// <summary>
/// Locks that all processes share, as <c>lock:{resource}:{id}</c> in Redis: set if absent, with an end and the token of its owner,
/// so that any client that does the same contends with ours. Redis can lose a lock; then two may hold it. Work that must not be done
/// twice even so takes a <see cref="FencedLock"/>.
/// </summary>
public sealed partial class RedisLocks(IServiceProvider services, FencingTokens tokens, TimeProvider time, ILogger<RedisLocks> logger) : IDisposable
{
    // A release is told. These are for what is not: a message that was lost, a holder that died, a foreign client's release.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private static readonly RedisScript Release = RedisScript.Load("ReleaseLock.lua");
    private static readonly RedisScript Renew = RedisScript.Load("RenewLock.lua");

    private readonly LockWatch _watch = new();
    private readonly LockLines _lines = new();
    private readonly string _process = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private long _owners;

    /// <summary>Takes the lock if it is free.</summary>
    /// <param name="resource">What kind of thing is locked, without a colon.</param>
    /// <param name="id">Which one.</param>
    /// <param name="lifetime">How long it outlives a holder that died: half a second to a day, ten seconds by default. A living holder renews it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The lock, to be disposed; null when somebody holds it.</returns>
    /// <exception cref="LockUnavailableException">Redis does not answer.</exception>
    public Task<HeldLock?> TryAcquireAsync(string resource, string id, TimeSpan? lifetime = null, CancellationToken cancellationToken = default) =>
        AttemptAsync(RedisKeys.Lock(resource, id), new LockLease(lifetime), cancellationToken);

    /// <summary>Takes the lock, waiting for it if need be: within a process in the order of coming, between processes in none.</summary>
    /// <param name="resource">What kind of thing is locked, without a colon.</param>
    /// <param name="id">Which one.</param>
    /// <param name="timeout">How long to wait at most; zero to try once.</param>
    /// <param name="lifetime">As in <see cref="TryAcquireAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lock, to be disposed.</returns>
    /// <exception cref="LockTimeoutException">Others held it all the time.</exception>
    /// <exception cref="LockUnavailableException">Redis did not answer in the end.</exception>
    public async Task<HeldLock> AcquireAsync(
        string resource, string id, TimeSpan timeout, TimeSpan? lifetime = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        var (key, lease) = (RedisKeys.Lock(resource, id), new LockLease(lifetime));
        if (!_lines.Any(key) && await AttemptAsync(key, lease, cancellationToken) is { } free)
            return free;

        using var patience = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var line = _lines.Enter(key);
        var contest = new Contest();
        try
        {
            await line.Turn.WaitAsync(either.Token);
            try
            {
                return await ContendAsync(line, lease, contest, either.Token);
            }
            finally
            {
                line.Turn.Release();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw contest.Failure ?? (Exception)new LockTimeoutException(key.ToString(), timeout);
        }
        finally
        {
            _lines.Leave(line);
        }
    }

    /// <summary>Takes the lock, waiting for it if need be, and gives it a number that grows with every holder, whatever Redis loses.</summary>
    /// <inheritdoc cref="AcquireAsync"/>
    public async Task<FencedLock> AcquireFencedAsync(
        string resource, string id, TimeSpan timeout, TimeSpan? lifetime = null, CancellationToken cancellationToken = default)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var left = timeout - time.GetElapsedTime(started);
            var held = await AcquireAsync(resource, id, left < TimeSpan.Zero ? TimeSpan.Zero : left, lifetime, cancellationToken);
            try
            {
                // Only a token that was drawn while holding the lock is greater than those of all former holders and smaller than
                // those of all later ones. Whoever stalled around the draw may have lost the lock before it: asked once more.
                var token = await tokens.DrawAsync(cancellationToken);
                if (await IsOwnerAsync(held, cancellationToken) && held.IsHeld)
                    return new FencedLock(held, $"{resource}:{id}", token);
            }
            catch
            {
                await held.DisposeAsync();
                throw;
            }

            await held.DisposeAsync();
            if (time.GetElapsedTime(started) >= timeout)
                throw new LockTimeoutException($"{resource}:{id}", timeout);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _watch.Dispose();

    /// <summary>Whether an exception means that Redis does not answer.</summary>
    internal static bool IsFailure(Exception failure) => failure is RedisException or TimeoutException or ObjectDisposedException;

    internal async Task<bool> RenewAsync(HeldLock held) =>
        (int)await Renew.RunAsync(Redis().GetDatabase(), [held.Key], [held.Owner, Milliseconds(held.Lease.Lifetime)]) == 1;

    internal async Task ReleaseAsync(RedisKey key, string owner)
    {
        try
        {
            await Release.RunAsync(Redis().GetDatabase(), [key], [owner]);
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            NotReleased(logger, key.ToString(), failure.Message);
        }
    }

    private async Task<HeldLock> ContendAsync(LockLine line, LockLease lease, Contest contest, CancellationToken cancellationToken)
    {
        await line.ListenAsync(Redis(), cancellationToken);
        if (line.IsTaken)
            await line.WaitForReleaseAsync(FirstPause, time, cancellationToken);
        for (var pause = FirstPause; ; pause = Shorter(pause * 2, LongestPause))
        {
            var wait = pause * (0.8 + (0.4 * Random.Shared.NextDouble())); // not all processes at the same time
            try
            {
                contest.Failure = null;
                if (await AttemptAsync(line.Key, lease, cancellationToken) is { } held)
                {
                    line.IsTaken = true;
                    return held;
                }

                if (await Redis().GetDatabase().KeyTimeToLiveAsync(line.Key).WaitAsync(cancellationToken) is { } left)
                    wait = Shorter(wait, left + TimeSpan.FromMilliseconds(1));
            }
            catch (Exception failure) when (failure is LockUnavailableException || IsFailure(failure))
            {
                contest.Failure = failure as LockUnavailableException ?? new LockUnavailableException(line.Key.ToString(), failure);
            }

            await line.WaitForReleaseAsync(wait, time, cancellationToken);
        }
    }

    private async Task<HeldLock?> AttemptAsync(RedisKey key, LockLease lease, CancellationToken cancellationToken)
    {
        var owner = string.Create(CultureInfo.InvariantCulture, $"{_process}-{Interlocked.Increment(ref _owners)}");
        var asked = time.GetTimestamp(); // its life begins at the latest when Redis gets the command, so at the earliest now
        var isSent = false;
        try
        {
            var redis = Redis();
            if (!redis.IsConnected)
                throw new TimeoutException("Redis is not connected.");
            isSent = true;
            if (!await redis.GetDatabase().StringSetAsync(key, owner, lease.Lifetime, when: When.NotExists).WaitAsync(cancellationToken))
                return null;
        }
        catch (Exception failure) when (failure is OperationCanceledException || IsFailure(failure))
        {
            // It may have been set although nobody said so.
            if (isSent)
                _ = ReleaseAsync(key, owner);
            throw failure is OperationCanceledException ? failure : new LockUnavailableException(key.ToString(), failure);
        }

        var held = new HeldLock(this, _watch, time, key, owner, lease, asked);
        if (held.IsHeld)
            return held;
        await held.DisposeAsync(); // the answer came so late that it is worth nothing
        return null;
    }

    private async Task<bool> IsOwnerAsync(HeldLock held, CancellationToken cancellationToken)
    {
        try
        {
            return await Redis().GetDatabase().StringGetAsync(held.Key).WaitAsync(cancellationToken) == held.Owner;
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            throw new LockUnavailableException(held.Key.ToString(), failure);
        }
    }

    // Resolved late: a service without Redis configured starts.
    private IConnectionMultiplexer Redis() => services.GetRequiredService<IConnectionMultiplexer>();

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static string Milliseconds(TimeSpan span) => span.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);

    private sealed class Contest
    {
        // Why the last attempt failed; null when the lock was held by somebody.
        public LockUnavailableException? Failure { get; set; }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lock {Name} could not be released, Redis drops it by itself: {Reason}")]
    private static partial void NotReleased(ILogger logger, string name, string reason);
}
