using System.Text.Json;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.Caching;

/// <summary>
/// Keeps values of one resource in Redis as <c>cache:{resource}:{id}</c>, and that there is none of an id, on the terms of
/// <see cref="LeaseCache"/>. It knows no policies: who may not read the row must not ask here.
/// </summary>
/// <typeparam name="T">The value, kept as JSON. A value that can no longer be read, of another release, is loaded anew.</typeparam>
public sealed class ResourceCache<T>
    where T : class
{
    // No row has it.
    private const long Absence = 0;

    private readonly LeaseCache _entries;
    private readonly string _resource;
    private readonly TimeSpan _lifetime;
    private readonly bool _keepsAbsence;

    /// <summary>Makes the cache of a resource.</summary>
    /// <param name="entries">The cache of everything.</param>
    /// <param name="resource">What kind of thing is kept, without a colon.</param>
    /// <param name="lifetime">How long a value is kept after it was loaded or written; more than zero.</param>
    /// <param name="keepsAbsence">Whether it is kept, too, that there is none.</param>
    public ResourceCache(LeaseCache entries, string resource, TimeSpan lifetime, bool keepsAbsence = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        (_entries, _resource, _lifetime, _keepsAbsence) = (entries, resource, lifetime, keepsAbsence);
        _ = Key("any"); // throws for a resource that cannot be part of a key
    }

    /// <summary>What is known without asking PostgreSQL.</summary>
    public async Task<Cached<T>> GetAsync(string id, CancellationToken cancellationToken)
    {
        var key = Key(id);
        return await _entries.PeekAsync(key, cancellationToken) is { } entry && await ReadAsync(key, entry, cancellationToken) is { IsKnown: true } known
            ? known
            : default;
    }

    /// <summary>The value, from Redis if it is there and young enough, else loaded: once for all replicas. Null when there is none.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="loadAsync">Reads the row; null for none, which is kept, too.</param>
    /// <param name="versionAsync">Reads the version of the row, cheaply; null for none. Without it, what is older than two seconds is loaded anew.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<T?> GetOrCreateAsync(
        string id, Func<CancellationToken, Task<Versioned<T>?>> loadAsync, Func<CancellationToken, Task<long?>>? versionAsync, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(loadAsync);
        var key = Key(id);
        var entry = await _entries.GetAsync(
            key, _lifetime, async token => await loadAsync(token) is { } loaded ? Entry(loaded) : Absent(),
            async token => versionAsync is null ? null : await versionAsync(token) ?? Absence, cancellationToken);
        if (entry is null)
            return null; // loaded just now
        return await ReadAsync(key, entry, cancellationToken) is { IsKnown: true } known ? known.Value : (await loadAsync(cancellationToken))?.Value;
    }

    /// <summary>Commits a change and keeps the new value. What readers loaded before is refused from here on.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="commitAsync">Commits, and gives back what is then in the row; null when it is gone or nothing was changed.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether Redis knows of it; otherwise others may read the former value for at most two seconds.</returns>
    public async Task<bool> SetAsync(string id, Func<CancellationToken, Task<Versioned<T>?>> commitAsync, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(commitAsync);
        var write = await _entries.BlockAsync(Key(id), cancellationToken);
        CacheEntry? entry = null;
        var isKnown = false;
        try
        {
            entry = await commitAsync(cancellationToken) is { } written ? Entry(written) : null;
        }
        finally
        {
            // Also after a COMMIT that failed, which may still have happened: the next reader finds out.
            isKnown = await _entries.FinishAsync(write, entry, _lifetime);
        }

        return isKnown && write.IsBlocked;
    }

    /// <summary>Commits a change, or a deletion, and keeps nothing: the next reader loads.</summary>
    /// <inheritdoc cref="SetAsync"/>
    public Task<bool> RemoveAsync(string id, Func<CancellationToken, Task> commitAsync, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(commitAsync);
        return SetAsync(
            id,
            async token =>
            {
                await commitAsync(token);
                return null;
            },
            cancellationToken);
    }

    private static CacheEntry Entry(Versioned<T> row) => new(row.Version, JsonSerializer.Serialize(row.Value));

    private CacheEntry? Absent() => _keepsAbsence ? new CacheEntry(Absence, "") : null;

    private async Task<Cached<T>> ReadAsync(RedisKey key, CacheEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Payload.Length == 0)
            return new Cached<T>(IsKnown: true, Value: null);
        try
        {
            return new Cached<T>(IsKnown: true, JsonSerializer.Deserialize<T>(entry.Payload));
        }
        catch (JsonException)
        {
            await _entries.DropAsync(key, entry, cancellationToken);
            return default;
        }
    }

    private RedisKey Key(string id) => RedisKeys.Cache(_resource, id);
}
