using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;

namespace OpenHands.Storage.Invitations;

/// <summary>Lets whoever has its token become a member, once. It ends with the membership of the admin who made it.</summary>
public sealed class Invitation
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>The organization to join.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>The admin who made it.</summary>
    public required string InvitedBy { get; init; }

    /// <summary>The only verified address that may use it, in lower case; null for anybody who has the token.</summary>
    public string? Email { get; init; }

    /// <summary>What the new member becomes: one of <see cref="OrganizationRole"/>.</summary>
    public required string Role { get; init; }

    /// <summary>SHA-256 of the token.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>One of <see cref="InvitationMail"/>.</summary>
    public required string Mail { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when it is refused, UTC.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When somebody joined by it, UTC; null while it is open.</summary>
    public DateTimeOffset? AcceptedAt { get; init; }
}

internal sealed class InvitationConfiguration : IEntityTypeConfiguration<Invitation>
{
    public void Configure(EntityTypeBuilder<Invitation> builder)
    {
        builder.HasIndex(invitation => invitation.Hash).IsUnique();
        builder.HasIndex(invitation => new { invitation.OrganizationId, invitation.Id });
        builder.HasIndex(invitation => invitation.ExpiresAt); // swept by age
        builder.HasOne<OrganizationMembership>().WithMany()
            .HasForeignKey(invitation => new { invitation.OrganizationId, invitation.InvitedBy }).OnDelete(DeleteBehavior.Cascade);
        builder.ToTable(table =>
        {
            table.HasCheckConstraint("ck_invitations_hash", "octet_length(hash) = 32");
            table.HasCheckConstraint("ck_invitations_role", $"role IN ('{OrganizationRole.Admin}', '{OrganizationRole.Member}')");
            table.HasCheckConstraint(
                "ck_invitations_mail", $"mail IN ('{InvitationMail.None}', '{InvitationMail.Queued}', '{InvitationMail.Sent}', '{InvitationMail.Failed}')");
        });
    }
}
