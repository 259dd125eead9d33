using System.Text.Json;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Redis;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Sessions;

/// <summary>Keeps sessions in Redis as <c>session:{id}</c>, each with its owner: who reads one must be that owner.</summary>
public sealed class SessionCache(LeaseCache entries)
{
    /// <summary>How long a session is kept after it was loaded or written, from the architecture.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(3600);

    /// <summary>The session; null when the tenant has none of this id.</summary>
    internal async Task<SavedSession?> FindAsync(
        string id, TenantContext tenant, Func<CancellationToken, Task<SavedSession?>> loadAsync, Func<CancellationToken, Task<long?>> versionAsync,
        CancellationToken cancellationToken)
    {
        var entry = await entries.GetAsync(
            RedisKeys.Session(id), Lifetime,
            async token => await loadAsync(token) is { } loaded ? Entry(tenant.UserId!, loaded) : null, // entered, or the store would have thrown
            versionAsync, cancellationToken);
        var kept = entry is null ? null : JsonSerializer.Deserialize<Kept>(entry.Payload);
        return kept?.UserId == tenant.UserId && kept?.Session.OrganizationId == tenant.OrganizationId ? kept?.Session : null;
    }

    internal Task<CacheWrite> BlockAsync(string id, CancellationToken cancellationToken) => entries.BlockAsync(RedisKeys.Session(id), cancellationToken);

    internal Task FinishAsync(CacheWrite write, string userId, SavedSession? session) =>
        entries.FinishAsync(write, session is null ? null : Entry(userId, session), Lifetime);

    private static CacheEntry Entry(string userId, SavedSession session) =>
        new(session.Version, JsonSerializer.Serialize(new Kept(userId, session)));

    private sealed record Kept(string UserId, SavedSession Session);
}
