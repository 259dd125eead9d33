using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Audit;

/// <summary>
/// One link of the chain over the audit log: the hashes of a batch of events, bound to the link before it and signed. So the
/// signature of the newest link speaks for everything before it.
/// </summary>
public sealed class AuditSeal
{
    /// <summary>From 1, without a gap.</summary>
    public long Number { get; init; }

    /// <summary>Position of the first event of the batch; of the next one where the batch is empty.</summary>
    public long FirstPosition { get; init; }

    /// <summary>SHA-256 of every event of the batch, in the order of their positions, 32 bytes each.</summary>
    public required byte[] Leaves { get; init; }

    /// <summary>Positions that retention deleted, such as <c>1-40,57</c>; null where this link says nothing of the kind.</summary>
    public string? Pruned { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset SealedAt { get; init; }

    /// <summary>Hash of the link before; 32 zero bytes for the first.</summary>
    public required byte[] Previous { get; init; }

    /// <summary>SHA-256 of all of the above.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Id of the key of the ring that the signing key is derived from.</summary>
    public required string SigningKeyId { get; init; }

    /// <summary>ECDSA (P-256, SHA-256) over <see cref="Hash"/>.</summary>
    public required byte[] Signature { get; init; }

    /// <summary>How many events the batch has.</summary>
    internal int Count => Leaves.Length / AuditHash.Bytes;
}

internal sealed class AuditSealConfiguration : IEntityTypeConfiguration<AuditSeal>
{
    public void Configure(EntityTypeBuilder<AuditSeal> builder)
    {
        builder.ToTable("audit_seals");
        builder.HasKey(seal => seal.Number);
        builder.Property(seal => seal.Number).ValueGeneratedNever();
        builder.Ignore(seal => seal.Count);
    }
}
