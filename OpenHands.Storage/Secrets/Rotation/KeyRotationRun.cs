using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>A rotation that was asked for: a worker does it, and another goes on when that one is killed.</summary>
public sealed class KeyRotationRun
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Id of the key that everything is to come under: only a worker with it as its current key does it.</summary>
    public required string TargetKeyId { get; init; }

    /// <summary>Rows per second at most.</summary>
    public int RowsPerSecond { get; init; }

    /// <summary>When it was asked for, UTC.</summary>
    public DateTimeOffset RequestedAt { get; init; }

    /// <summary>When a worker first began, UTC; null while none has.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was done, UTC; null until then.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Rows re-encrypted so far.</summary>
    public long Rotated { get; init; }

    /// <summary>Rows to re-encrypt, as counted when it began.</summary>
    public long Total { get; init; }

    /// <summary>Rows that could not be read.</summary>
    public required string[] Refused { get; init; }

    /// <summary>Keys that nothing uses any more.</summary>
    public required string[] Removable { get; init; }

    /// <summary>What came of it; null until it is done.</summary>
    public KeyRotationResult? Result => FinishedAt is null ? null : new KeyRotationResult(TargetKeyId, Rotated, Refused, Removable);
}

internal sealed class KeyRotationRunConfiguration : IEntityTypeConfiguration<KeyRotationRun>
{
    public void Configure(EntityTypeBuilder<KeyRotationRun> builder)
    {
        builder.ToTable("key_rotation_runs");
        builder.Ignore(run => run.Result);
        // Asking twice is asking once.
        builder.HasIndex(run => run.TargetKeyId).IsUnique().HasFilter("finished_at IS NULL");
    }
}
