using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Idempotency;

/// <summary>What was answered to a request that may be sent again. Written in the transaction of the work itself.</summary>
public sealed class IdempotencyRecord
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Who sent it.</summary>
    public required string UserId { get; init; }

    /// <summary>The organization that it was for; null where it named none.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>Method and path.</summary>
    public required string Route { get; init; }

    /// <summary>What the caller chose to tell requests apart.</summary>
    public required string Key { get; init; }

    /// <summary>HMAC of the body's hash under the key ring: a body may hold a secret that could be guessed from a bare hash.</summary>
    public required byte[] Fingerprint { get; init; }

    /// <summary>Status of the answer, 200 to 299.</summary>
    public int Status { get; init; }

    /// <summary>Its header Location, or null.</summary>
    public string? Location { get; init; }

    /// <summary>Its header ETag, or null.</summary>
    public string? EntityTag { get; init; }

    /// <summary>Its JSON, without what is shown only once; '' for none.</summary>
    public required string Body { get; init; }

    /// <summary>When it was answered, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class IdempotencyRecordConfiguration : IEntityTypeConfiguration<IdempotencyRecord>
{
    public void Configure(EntityTypeBuilder<IdempotencyRecord> builder)
    {
        builder.HasIndex(record => new { record.UserId, record.OrganizationId, record.Route, record.Key }).IsUnique().AreNullsDistinct(false);
        builder.HasIndex(record => record.CreatedAt); // swept by age
        builder.HasOne<User>().WithMany().HasForeignKey(record => record.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<OrganizationMembership>().WithMany()
            .HasForeignKey(record => new { record.OrganizationId, record.UserId }).OnDelete(DeleteBehavior.Cascade);
        builder.ToTable(table =>
        {
            table.HasCheckConstraint("ck_idempotency_records_key", $"length(key) BETWEEN 1 AND {IdempotencyStore.LongestKey}");
            table.HasCheckConstraint("ck_idempotency_records_fingerprint", "octet_length(fingerprint) = 32");
        });
    }
}
