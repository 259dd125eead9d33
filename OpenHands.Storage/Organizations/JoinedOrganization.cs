namespace OpenHands.Storage.Organizations;

/// <summary>An organization as one of its members sees it.</summary>
public sealed record JoinedOrganization
{
    /// <summary>Id of the organization.</summary>
    public required string Id { get; init; }

    /// <summary>Name to show.</summary>
    public required string Name { get; init; }

    /// <summary>The member's own <see cref="OrganizationRole"/>.</summary>
    public required string Role { get; init; }

    /// <summary>Whether the member's requests act in it unless they name another.</summary>
    public required bool IsActive { get; init; }

    /// <summary>Grows with every change.</summary>
    public required long Version { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed, UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A member as the other members see them.</summary>
/// <param name="UserId">Id of the user.</param>
/// <param name="Email">Verified address, or null.</param>
/// <param name="DisplayName">Name to show, or null.</param>
/// <param name="Role">One of <see cref="OrganizationRole"/>.</param>
/// <param name="JoinedAt">When the membership began, UTC.</param>
public sealed record OrganizationMember(string UserId, string? Email, string? DisplayName, string Role, DateTimeOffset JoinedAt);
