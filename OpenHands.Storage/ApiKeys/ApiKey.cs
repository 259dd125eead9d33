using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;

namespace OpenHands.Storage.ApiKeys;

/// <summary>A key that a program calls with, for one user in one organization; only its hash is kept. It ends with the membership.</summary>
public sealed class ApiKey
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>For whom it speaks.</summary>
    public required string UserId { get; init; }

    /// <summary>In which organization.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>Name to show.</summary>
    public required string Name { get; init; }

    /// <summary>First characters of the key, to recognise it by.</summary>
    public required string Prefix { get; init; }

    /// <summary>SHA-256 of the whole key.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>What it may be used for.</summary>
    public required string[] Scopes { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when it is refused, UTC; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>About when it was last used, UTC; null for never.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
}

internal sealed class ApiKeyConfiguration : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.HasIndex(key => key.Hash).IsUnique();
        builder.HasIndex(key => new { key.UserId, key.Id });
        builder.HasOne<OrganizationMembership>().WithMany()
            .HasForeignKey(key => new { key.OrganizationId, key.UserId }).OnDelete(DeleteBehavior.Cascade);
        builder.ToTable(table => table.HasCheckConstraint("ck_api_keys_hash", "octet_length(hash) = 32"));
    }
}
