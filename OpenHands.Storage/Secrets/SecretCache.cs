using System.Text.Json;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Redis;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// Keeps ciphertexts in Redis as <c>secret:{scope}.{owner}.{name}</c>, and that there is none of a name. Redis never holds a
/// plaintext; who may not read the row has no business here.
/// </summary>
public sealed class SecretCache(LeaseCache entries)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>The secret; null when the owner has none of this name.</summary>
    /// <param name="owner">Whose it is.</param>
    /// <param name="name">Its name.</param>
    /// <param name="loadAsync">Reads it.</param>
    /// <param name="changedAsync">Reads when it last changed; null when there is none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    internal async Task<KeptSecret?> FindAsync(
        SecretOwner owner, string name, Func<CancellationToken, Task<KeptSecret?>> loadAsync, Func<CancellationToken, Task<DateTimeOffset?>> changedAsync,
        CancellationToken cancellationToken)
    {
        var entry = await entries.GetAsync(
            Key(owner, name), Lifetime,
            async token => await loadAsync(token) is { } loaded
                ? new CacheEntry(Version(loaded.UpdatedAt), JsonSerializer.Serialize(loaded))
                : new CacheEntry(Version(null), ""),
            async token => Version(await changedAsync(token)), cancellationToken);
        return entry is null or { Payload: "" } ? null : JsonSerializer.Deserialize<KeptSecret>(entry.Payload);
    }

    /// <summary>Forgets a secret that cannot be read as it is kept.</summary>
    internal Task DropAsync(SecretOwner owner, KeptSecret secret, CancellationToken cancellationToken) =>
        entries.DropAsync(Key(owner, secret.Key), new CacheEntry(Version(secret.UpdatedAt), ""), cancellationToken);

    internal Task<CacheWrite> BlockAsync(SecretOwner owner, string name, CancellationToken cancellationToken) =>
        entries.BlockAsync(Key(owner, name), cancellationToken);

    internal Task FinishAsync(CacheWrite write) => entries.FinishAsync(write, null, Lifetime);

    // Not the row's own version: a secret that was deleted and made anew begins at 1 again.
    private static long Version(DateTimeOffset? changed) => changed is { } at ? at.UtcTicks / TimeSpan.TicksPerMicrosecond : 0;

    private static StackExchange.Redis.RedisKey Key(SecretOwner owner, string name) => owner.UserId is { } user
        ? RedisKeys.Secret("user", user, name)
        : RedisKeys.Secret("organization", owner.OrganizationId!, name); // an owner is one of the two
}

/// <summary>What is kept of a secret: enough to decrypt it.</summary>
internal sealed record KeptSecret(string Id, string? UserId, string? OrganizationId, string Key, long Version, string ValueEncrypted, DateTimeOffset UpdatedAt);
