namespace OpenHands.Storage.Invitations;

/// <summary>An invitation as admins see it.</summary>
/// <param name="Id">Id of the invitation.</param>
/// <param name="Email">The only verified address that may use it; null for anybody who has the link.</param>
/// <param name="Role">What the new member becomes.</param>
/// <param name="InvitedBy">Id of the admin who made it.</param>
/// <param name="Mail">How its mail stands: `none`, `queued`, `sent` or `failed`.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="ExpiresAt">From when it is refused, UTC.</param>
/// <param name="AcceptedAt">When somebody joined by it, UTC; null while it is open.</param>
public sealed record InvitationSummary(
    string Id, string? Email, string Role, string InvitedBy, string Mail, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? AcceptedAt)
{
    internal static InvitationSummary From(Invitation row) =>
        new(row.Id, row.Email, row.Role, row.InvitedBy, row.Mail, row.CreatedAt, row.ExpiresAt, row.AcceptedAt);
}

/// <summary>What somebody is invited to, as whoever has the token sees it.</summary>
/// <param name="OrganizationId">The organization.</param>
/// <param name="OrganizationName">Its name.</param>
/// <param name="Role">What the new member becomes.</param>
/// <param name="Email">The only verified address that may use it; null for anybody who has the link.</param>
/// <param name="ExpiresAt">From when it is refused, UTC.</param>
public sealed record OfferedMembership(string OrganizationId, string OrganizationName, string Role, string? Email, DateTimeOffset ExpiresAt);
