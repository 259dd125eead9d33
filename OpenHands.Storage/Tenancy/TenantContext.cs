using OpenHands.Storage.Audit;

namespace OpenHands.Storage.Tenancy;

/// <summary>
/// For whom the work of one scope (a request, a task) is done. Row-level security shows that user's rows and those of one
/// organization of theirs, and nothing while no user was entered.
/// </summary>
public sealed class TenantContext
{
    /// <summary>The acting user; null until <see cref="Enter"/>.</summary>
    public string? UserId { get; private set; }

    /// <summary>The organization to act in; null for the user's active one. The database checks the membership.</summary>
    public string? OrganizationId { get; private set; }

    /// <summary>From where the user acts, for the audit log; null where that is not known.</summary>
    public AuditOrigin? Origin { get; set; }

    /// <summary>Enters a user, and afterwards perhaps an organization. Neither can be changed for another within one scope.</summary>
    /// <exception cref="InvalidOperationException">The scope already works for somebody else.</exception>
    public void Enter(string userId, string? organizationId = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        if ((UserId ?? userId) != userId || (OrganizationId ?? organizationId) != (organizationId ?? OrganizationId))
            throw new InvalidOperationException("A scope that works for one tenant cannot go on for another.");
        (UserId, OrganizationId) = (userId, organizationId ?? OrganizationId);
    }
}
