using Microsoft.EntityFrameworkCore;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// Which keys something stored may be encrypted under. A process enters its current key before it encrypts; the rotation strikes
/// out those that nothing uses any more. So a process with a ring that lacks a key in use is noticed before it does harm.
/// </summary>
internal sealed class EncryptionKeyRegistry(OpenHandsDb db, KeyRing keys, TimeProvider time)
{
    /// <summary>Enters the current key, unless a key in use is missing in the ring.</summary>
    /// <returns>Ids of the keys in use that the ring lacks; nothing was entered unless there is none.</returns>
    public async Task<IReadOnlyList<string>> EnterAsync(CancellationToken cancellationToken)
    {
        var used = await db.EncryptionKeys.Select(key => key.Id).ToListAsync(cancellationToken);
        List<string> missing = [.. used.Where(id => keys.Find(id) is null).Order(StringComparer.Ordinal)];
        if (missing.Count == 0 && !used.Contains(keys.Current.Id))
        {
            var (id, now) = (keys.Current.Id, time.GetUtcNow());
            await db.Database.ExecuteSqlAsync($"INSERT INTO encryption_keys (id, first_used_at) VALUES ({id}, {now}) ON CONFLICT (id) DO NOTHING", cancellationToken);
        }

        return missing;
    }
}
