using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Secrets;

/// <summary>A key of the ring that something stored may be encrypted under. Belongs to no tenant; holds no key.</summary>
public sealed class EncryptionKey
{
    /// <summary>Id of the key: 16 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>When a process first had it as its current key, UTC.</summary>
    public DateTimeOffset FirstUsedAt { get; init; }
}

internal sealed class EncryptionKeyConfiguration : IEntityTypeConfiguration<EncryptionKey>
{
    public void Configure(EntityTypeBuilder<EncryptionKey> builder) =>
        builder.ToTable(table => table.HasCheckConstraint("ck_encryption_keys_id", "id ~ '^[0-9a-f]{16}$'"));
}
