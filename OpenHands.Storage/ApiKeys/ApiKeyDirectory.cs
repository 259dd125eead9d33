using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace OpenHands.Storage.ApiKeys;

/// <summary>
/// Tells for whom a key speaks. What PostgreSQL said is believed for half a second, so that a revoked key is refused by every
/// process within a second without a message that could be lost.
/// </summary>
public sealed class ApiKeyDirectory(IServiceScopeFactory scopes, ApiKeyUses uses, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(500);

    // About 300 bytes each; more only under an attack with well-formed keys.
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, (ApiKeyCaller? Caller, long At)> _known = new(StringComparer.Ordinal);

    /// <summary>For whom the key speaks; null when it is none, was revoked or has expired.</summary>
    public async Task<ApiKeyCaller?> FindAsync(string key, CancellationToken cancellationToken)
    {
        if (!ApiKeyText.IsOne(key))
            return null;

        var hash = ApiKeyText.HashOf(key);
        var caller = await FindByHashAsync(hash, cancellationToken);
        var now = time.GetUtcNow();
        if (caller is null || caller.ExpiresAt <= now)
            return null;
        uses.Note(caller.KeyId, now);
        return caller;
    }

    private async Task<ApiKeyCaller?> FindByHashAsync(byte[] hash, CancellationToken cancellationToken)
    {
        // By the hash: a key in memory for longer than its request could be found in a dump.
        var name = Convert.ToHexString(hash);
        if (_known.TryGetValue(name, out var known) && time.GetElapsedTime(known.At) < Lifetime)
            return known.Caller;

        var asked = time.GetTimestamp(); // before the answer was true, not after
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<OpenHandsDb>();
        var rows = await db.Database
            .SqlQuery<Row>($"SELECT id, user_id, organization_id, scopes, expires_at FROM find_api_key({hash})")
            .ToListAsync(cancellationToken);
        var caller = rows.Select(row => new ApiKeyCaller(row.Id, row.UserId, row.OrganizationId, row.Scopes, row.ExpiresAt)).SingleOrDefault();
        if (_known.Count >= Most)
            _known.Clear();
        _known[name] = (caller, asked);
        return caller;
    }

    private sealed record Row(string Id, string UserId, string OrganizationId, string[] Scopes, DateTimeOffset? ExpiresAt);
}
