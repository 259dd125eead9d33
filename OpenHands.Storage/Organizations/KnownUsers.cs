using System.Collections.Concurrent;

namespace OpenHands.Storage.Organizations;

/// <summary>Users that this process has lately seen in the database, so that not every request has to look.</summary>
public sealed class KnownUsers(TimeProvider time)
{
    /// <summary>How long one look counts: the database may be restored, or the user deleted and come again.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    // About 150 bytes each.
    private const int Most = 100_000;

    private readonly ConcurrentDictionary<string, long> _seen = new();

    internal bool Has(string userId) => _seen.TryGetValue(userId, out var seen) && time.GetElapsedTime(seen) < Lifetime;

    internal void Add(string userId)
    {
        if (_seen.Count >= Most)
            _seen.Clear();
        _seen[userId] = time.GetTimestamp();
    }
}
