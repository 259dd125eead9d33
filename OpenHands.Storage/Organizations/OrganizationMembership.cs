using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Organizations;

/// <summary>That a user belongs to an organization. What the user has there (sessions, keys) goes with it.</summary>
public sealed class OrganizationMembership
{
    /// <summary>The organization.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>The member.</summary>
    public required string UserId { get; init; }

    /// <summary>One of <see cref="OrganizationRole"/>.</summary>
    public required string Role { get; set; }

    /// <summary>Grows by one with every change.</summary>
    public long Version { get; set; }

    /// <summary>When the user joined, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the role last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class OrganizationMembershipConfiguration : IEntityTypeConfiguration<OrganizationMembership>
{
    public void Configure(EntityTypeBuilder<OrganizationMembership> builder)
    {
        builder.HasKey(membership => new { membership.OrganizationId, membership.UserId });
        builder.HasIndex(membership => new { membership.UserId, membership.OrganizationId });
        builder.HasOne<Organization>().WithMany().HasForeignKey(membership => membership.OrganizationId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<User>().WithMany().HasForeignKey(membership => membership.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.Property(membership => membership.Version).IsConcurrencyToken();
        builder.ToTable(table => table.HasCheckConstraint(
            "ck_organization_memberships_role", $"role IN ('{OrganizationRole.Admin}', '{OrganizationRole.Member}')"));
    }
}
