using System.Globalization;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.Caching;

/// <summary>
/// A cache in Redis that all replicas share and that never shows what is older than an acknowledged write, as long as the writer
/// reaches Redis; otherwise nothing older than two seconds. A miss is loaded by one caller alone, who holds a lease; a fill without
/// its lease is refused, so that a slow reader cannot bring back what was replaced meanwhile, not even after FLUSHALL. A writer
/// replaces the entry by a marker before COMMIT, so that its death after COMMIT leaves nothing old behind.
/// </summary>
/// <remarks>Leases after Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, §3.2.1; markers and soft age are ours.</remarks>
public sealed class LeaseCache(RedisGate redis, TimeProvider time)
{
    // A load that takes longer fills nothing; somebody else may load meanwhile.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    // Longer than a transaction of ours can last: see DatabaseConnection.
    private static readonly TimeSpan Marker = TimeSpan.FromSeconds(10);

    // What is older is compared with PostgreSQL: a writer may have been unable to reach Redis.
    private static readonly TimeSpan SoftAge = TimeSpan.FromSeconds(2);

    // As CacheRead.lua has them.
    private const byte Value = (byte)'V';
    private const byte ToLoad = (byte)'L';
    private const byte ToWait = (byte)'W';

    private static readonly TimeSpan[] Waits = [.. new[] { 2, 5, 10, 20, 40, 80, 160, 320 }.Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds))];

    private static readonly RedisScript Read = RedisScript.Load("CacheRead.lua");
    private static readonly RedisScript Fill = RedisScript.Load("CacheFill.lua");
    private static readonly RedisScript Block = RedisScript.Load("CacheBlock.lua");
    private static readonly RedisScript Finish = RedisScript.Load("CacheFinish.lua");
    private static readonly RedisScript Confirm = RedisScript.Load("CacheConfirm.lua");

    /// <summary>The entry, from Redis if it is there and young enough, else loaded.</summary>
    /// <param name="key">Key of the entry, from <see cref="RedisKeys"/>.</param>
    /// <param name="lifetime">How long a loaded entry lives.</param>
    /// <param name="loadAsync">Reads the row; null for a row that this caller may not see, which is never kept.</param>
    /// <param name="versionAsync">Reads the version of the row, cheaply; null when there is none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<CacheEntry?> GetAsync(
        RedisKey key, TimeSpan lifetime, Func<CancellationToken, Task<CacheEntry?>> loadAsync, Func<CancellationToken, Task<long?>> versionAsync,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(loadAsync);
        ArgumentNullException.ThrowIfNull(versionAsync);
        var token = Guid.CreateVersion7().ToString("N");
        foreach (var wait in Waits)
        {
            if (await RunAsync(Read, key, [token, Milliseconds(Lease)], cancellationToken) is not { } found)
                break;
            var answer = (byte[])found!; // the script returns a string
            switch (answer[0])
            {
                case Value:
                    var (entry, age, now) = FoundEntry.Read(answer.AsSpan(1));
                    if (IsYoung(age))
                        return entry;
                    var isCurrent = await versionAsync(cancellationToken) == entry.Version;
                    await RunAsync(Confirm, key, [entry.Version, isCurrent, now], cancellationToken);
                    if (isCurrent)
                        return entry;
                    continue;
                case ToLoad:
                    return await LoadAndFillAsync(key, token, lifetime, loadAsync, cancellationToken);
                case ToWait:
                    await Task.Delay(wait, time, cancellationToken);
                    continue;
                default:
                    return await loadAsync(cancellationToken);
            }
        }

        return await loadAsync(cancellationToken);
    }

    /// <summary>The entry if it is there and young enough; null when nothing is known. Loads nothing.</summary>
    public async Task<CacheEntry?> PeekAsync(RedisKey key, CancellationToken cancellationToken)
    {
        if (await RunAsync(Read, key, ["", "0"], cancellationToken) is not { } found)
            return null;
        var answer = (byte[])found!; // the script returns a string
        return answer[0] == Value && FoundEntry.Read(answer.AsSpan(1)) is var entry && IsYoung(entry.Age) ? entry.Entry : null;
    }

    /// <summary>Forgets an entry that cannot be read.</summary>
    public Task DropAsync(RedisKey key, CacheEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return RunAsync(Confirm, key, [entry.Version, false, 0], cancellationToken);
    }

    /// <summary>Begins a write: to be called inside the transaction, before its COMMIT.</summary>
    public async Task<CacheWrite> BlockAsync(RedisKey key, CancellationToken cancellationToken)
    {
        var token = Guid.CreateVersion7().ToString("N");
        return new CacheWrite(key, token, await RunAsync(Block, key, [token, Milliseconds(Marker)], cancellationToken) is not null);
    }

    /// <summary>Ends a write after its COMMIT, or after it failed.</summary>
    /// <param name="write">The write.</param>
    /// <param name="entry">The new state; null when it is to be loaded by the next reader, is gone or was not written.</param>
    /// <param name="lifetime">How long the new state lives.</param>
    /// <returns>Whether Redis knows; otherwise others may read the former state for at most two seconds.</returns>
    public async Task<bool> FinishAsync(CacheWrite write, CacheEntry? entry, TimeSpan lifetime)
    {
        ArgumentNullException.ThrowIfNull(write);
        // Not to be cancelled: it is committed, and a caller who has gone away must leave no marker.
        return await RunAsync(
            Finish, write.Key, [write.Token, entry?.Version ?? 0, entry?.Payload ?? "", entry is null ? "0" : Milliseconds(lifetime)], CancellationToken.None) is not null;
    }

    // From a time to come it is where the clock was set back; then nobody knows its age.
    private static bool IsYoung(TimeSpan age) => age >= TimeSpan.Zero && age < SoftAge;

    private async Task<CacheEntry?> LoadAndFillAsync(
        RedisKey key, string token, TimeSpan lifetime, Func<CancellationToken, Task<CacheEntry?>> loadAsync, CancellationToken cancellationToken)
    {
        CacheEntry? entry = null;
        try
        {
            return entry = await loadAsync(cancellationToken);
        }
        finally
        {
            // Given back where there is nothing to keep, so that the others need not wait for its end.
            await RunAsync(
                Fill, key, [token, entry?.Version ?? 0, entry?.Payload ?? "", entry is null ? "0" : Milliseconds(lifetime)], CancellationToken.None);
        }
    }

    private Task<RedisResult?> RunAsync(RedisScript script, RedisKey key, RedisValue[] arguments, CancellationToken cancellationToken) =>
        redis.TryAsync(script, [key], arguments, cancellationToken);

    private static string Milliseconds(TimeSpan span) => span.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
}
