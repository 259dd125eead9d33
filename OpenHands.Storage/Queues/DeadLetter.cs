using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Queues;

/// <summary>A value taken from a queue that could not be handled, kept byte for byte with the reason.</summary>
public sealed class DeadLetter
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Name of the queue it came from, without the prefix <c>queue:</c>.</summary>
    public required string Queue { get; init; }

    /// <summary>The value as it lay in the list; any bytes, not only JSON or text.</summary>
    public required byte[] Value { get; init; }

    /// <summary>Why it was set aside, in words for an operator.</summary>
    public required string Reason { get; init; }

    /// <summary>When it was set aside, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class DeadLetterConfiguration : IEntityTypeConfiguration<DeadLetter>
{
    public void Configure(EntityTypeBuilder<DeadLetter> builder) => builder.HasIndex(letter => new { letter.Queue, letter.Id });
}
