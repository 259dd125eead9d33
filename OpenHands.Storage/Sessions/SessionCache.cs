using System.Text.Json;
using System.Text.Json.Serialization;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Redis;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Sessions;

/// <summary>
/// Keeps sessions in Redis as <c>session:{id}</c>, each with its owner: who reads one must be that owner. What is kept is a line of JSON
/// about the session and then its state as it is, which nobody parses to pass it on.
/// </summary>
public sealed partial class SessionCache(LeaseCache entries)
{
    /// <summary>How long a session is kept after it was loaded or written, from the architecture.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(3600);

    /// <summary>The session; null when the tenant has none of this id.</summary>
    internal async Task<SavedSession?> FindAsync(
        string id, TenantContext tenant, Func<CancellationToken, Task<SavedSession?>> loadAsync, Func<CancellationToken, Task<long?>> versionAsync,
        CancellationToken cancellationToken)
    {
        SavedSession? loaded = null;
        var entry = await entries.GetAsync(
            RedisKeys.Session(id), Lifetime,
            async token => (loaded = await loadAsync(token)) is null ? null : Entry(tenant.UserId!, loaded), // entered, or the store would have thrown
            versionAsync, cancellationToken);
        if (entry is null || loaded is not null)
            return loaded;
        if (Kept.Read(entry.Payload) is not { } kept)
            return await loadAsync(cancellationToken); // of another release
        return kept.UserId == tenant.UserId && kept.OrganizationId == tenant.OrganizationId ? kept.Session(id, entry) : null;
    }

    internal Task<CacheWrite> BlockAsync(string id, CancellationToken cancellationToken) => entries.BlockAsync(RedisKeys.Session(id), cancellationToken);

    internal Task FinishAsync(CacheWrite write, string userId, SavedSession? session) =>
        entries.FinishAsync(write, session is null ? null : Entry(userId, session), Lifetime);

    private static CacheEntry Entry(string userId, SavedSession session) => new(
        session.Version,
        JsonSerializer.Serialize(
            new Kept(userId, session.OrganizationId, session.ConversationId, session.CreatedAt, session.UpdatedAt, session.ExpiresAt), KeptJson.Default.Kept)
        + '\n' + session.State.Json);

    private sealed record Kept(
        string UserId, string? OrganizationId, string? ConversationId, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? ExpiresAt)
    {
        // JSON has no line break that is not escaped, unless it is indented.
        public static Kept? Read(string payload) => payload.IndexOf('\n') is > 0 and var end
            ? JsonSerializer.Deserialize(payload.AsSpan(0, end), KeptJson.Default.Kept)
            : null;

        public SavedSession Session(string id, CacheEntry entry) => new(
            id, OrganizationId, ConversationId, new SessionState(entry.Payload[(entry.Payload.IndexOf('\n') + 1)..]), entry.Version, CreatedAt, UpdatedAt, UpdatedAt,
            ExpiresAt);
    }

    [JsonSerializable(typeof(Kept))]
    private sealed partial class KeptJson : JsonSerializerContext;
}
