using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Organizations;

/// <summary>A tenant: people who work together. It always has an admin.</summary>
public sealed class Organization
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Name to show; several organizations may have the same.</summary>
    public required string Name { get; set; }

    /// <summary>The user for whom it was made on first login; null for any other.</summary>
    public string? DefaultOfUserId { get; init; }

    /// <summary>Grows by one with every change.</summary>
    public long Version { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class OrganizationConfiguration : IEntityTypeConfiguration<Organization>
{
    public void Configure(EntityTypeBuilder<Organization> builder)
    {
        // Exactly one default organization, however many first requests race.
        builder.HasIndex(organization => organization.DefaultOfUserId).IsUnique();
        builder.HasOne<User>().WithOne().HasForeignKey<Organization>(organization => organization.DefaultOfUserId).OnDelete(DeleteBehavior.SetNull);
        builder.Property(organization => organization.Version).IsConcurrencyToken();
        builder.ToTable(table => table.HasCheckConstraint(
            "ck_organizations_name", $"length(name) BETWEEN 1 AND {OrganizationName.Longest}"));
    }
}
