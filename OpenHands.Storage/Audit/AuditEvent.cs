using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Audit;

/// <summary>
/// That somebody read, wrote or shared something: written in the transaction it describes, by a trigger of the table or by
/// <see cref="AuditLog"/>. It outlives what it is about, so it points at nothing by foreign keys.
/// </summary>
public sealed class AuditEvent
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>The organization whose it is, and whose admins may read it; null for what belongs to a user or to the platform.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>The user whose it is: the owner of a secret, the member, the user of a key. Null when it is the organization's alone.</summary>
    public string? UserId { get; init; }

    /// <summary>Id of the user who acted; of a role of the database where none was known.</summary>
    public required string Actor { get; init; }

    /// <summary>What was done, such as <c>secret.read</c>.</summary>
    public required string Action { get; init; }

    /// <summary>To what: the name of a secret, else an id. Never a value.</summary>
    public required string Target { get; init; }

    /// <summary>More about it, such as the version; empty for nothing.</summary>
    public required string Detail { get; init; }

    /// <summary>The address that the caller came from; null where none was known.</summary>
    public string? Address { get; init; }

    /// <summary>Id of the API key that the caller came with; null for none.</summary>
    public string? ApiKeyId { get; init; }

    /// <summary>Id of the request, as in traces; null for none.</summary>
    public string? RequestId { get; init; }

    /// <summary>When it was done, UTC.</summary>
    public DateTimeOffset OccurredAt { get; init; }

    /// <summary>Its place in the chain, from 1; null until it is sealed.</summary>
    public long? Position { get; init; }
}

internal sealed class AuditEventConfiguration : IEntityTypeConfiguration<AuditEvent>
{
    public void Configure(EntityTypeBuilder<AuditEvent> builder)
    {
        builder.ToTable("audit_events");
        // The sealer chains in the order of transactions, and only what no running one can add to any more.
        builder.Property<ulong>("TransactionId").HasColumnType("xid8").HasDefaultValueSql("pg_current_xact_id()");
        builder.HasIndex("TransactionId").HasFilter("position IS NULL");
        builder.HasIndex(audited => audited.Position).IsUnique().HasFilter("position IS NOT NULL");
        builder.HasIndex(audited => new { audited.OrganizationId, audited.Id }).HasFilter("organization_id IS NOT NULL");
        builder.HasIndex(audited => new { audited.UserId, audited.Id }).HasFilter("user_id IS NOT NULL");
    }
}
