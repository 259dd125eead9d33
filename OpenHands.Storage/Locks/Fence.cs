using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Locks;

/// <summary>The greatest number with which a holder of a lock has passed. It is never lowered, and stays as long as the resource may be locked.</summary>
public sealed class Fence
{
    /// <summary>Resource and id of the lock.</summary>
    public required string Name { get; init; }

    /// <summary>Holders with a smaller number are refused.</summary>
    public long Token { get; init; }
}

internal sealed class FenceConfiguration : IEntityTypeConfiguration<Fence>
{
    public void Configure(EntityTypeBuilder<Fence> builder) => builder.HasKey(fence => fence.Name);
}
