using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;

namespace OpenHands.Storage.Audit;

/// <summary>How long an organization keeps its audit events. Without a row they are kept for ever.</summary>
public sealed class AuditRetention
{
    /// <summary>The fewest days that can be chosen: a short retention would be a way to wipe traces.</summary>
    public const int FewestDays = 30;

    /// <summary>The most days that can be chosen.</summary>
    public const int MostDays = 3650;

    /// <summary>The organization.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>Days after which an event is deleted.</summary>
    public int Days { get; set; }
}

internal sealed class AuditRetentionConfiguration : IEntityTypeConfiguration<AuditRetention>
{
    public void Configure(EntityTypeBuilder<AuditRetention> builder)
    {
        builder.HasKey(retention => retention.OrganizationId);
        builder.HasOne<Organization>().WithOne().HasForeignKey<AuditRetention>(retention => retention.OrganizationId).OnDelete(DeleteBehavior.Cascade);
        builder.ToTable("audit_retentions", table => table.HasCheckConstraint(
            "ck_audit_retentions_days", $"days BETWEEN {AuditRetention.FewestDays} AND {AuditRetention.MostDays}"));
    }
}
