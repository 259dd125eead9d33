using OpenHands.Storage.Caching;

namespace OpenHands.Storage.Organizations;

/// <summary>
/// Keeps in Redis who is a member of which organization, as <c>cache:membership:{organization}.{user}</c>, for what is asked with every
/// request. Only that somebody is one is kept, not that somebody is none, who may just have been invited; what a member may do is
/// asked of the database.
/// </summary>
public sealed class MembershipCache(LeaseCache entries)
{
    private readonly ResourceCache<Membership> _memberships = new(entries, "membership", TimeSpan.FromMinutes(5), keepsAbsence: false);

    /// <summary>Whether the user is a member.</summary>
    /// <param name="organizationId">The organization.</param>
    /// <param name="userId">The user.</param>
    /// <param name="sinceAsync">Reads when the membership last changed; null for none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    internal async Task<bool> HasAsync(
        string organizationId, string userId, Func<CancellationToken, Task<DateTimeOffset?>> sinceAsync, CancellationToken cancellationToken)
    {
        return await _memberships.GetOrCreateAsync(
            Id(organizationId, userId),
            async token => await VersionAsync(token) is { } version ? new Versioned<Membership>(version, new Membership()) : null,
            VersionAsync, cancellationToken) is not null;

        async Task<long?> VersionAsync(CancellationToken token) => await sinceAsync(token) is { } since ? since.UtcTicks / TimeSpan.TicksPerMicrosecond : null;
    }

    /// <summary>Commits a change of a membership.</summary>
    internal Task CommitAsync(string organizationId, string userId, Func<CancellationToken, Task> commitAsync, CancellationToken cancellationToken) =>
        _memberships.RemoveAsync(Id(organizationId, userId), commitAsync, cancellationToken);

    // The database never takes an id with a dot.
    private static string Id(string organizationId, string userId) => $"{organizationId}.{userId}";

    private sealed record Membership;
}
