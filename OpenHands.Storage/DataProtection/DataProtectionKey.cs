using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.DataProtection;

/// <summary>A key that login cookies are protected with, shared by all replicas. Encrypted under the key ring; belongs to no tenant.</summary>
public sealed class DataProtectionKey
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>JWE of the key's XML.</summary>
    public required string Encrypted { get; set; }

    /// <summary>Id of the key of the ring that encrypted it.</summary>
    public required string KeyId { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class DataProtectionKeyConfiguration : IEntityTypeConfiguration<DataProtectionKey>
{
    public void Configure(EntityTypeBuilder<DataProtectionKey> builder) => builder.HasIndex(key => new { key.KeyId, key.Id });
}
