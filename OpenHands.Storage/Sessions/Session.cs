using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Sessions;

/// <summary>The saved state of a piece of work; not a login.</summary>
public sealed class Session
{
    /// <summary>Largest state, in bytes of its JSON text.</summary>
    public const int MostStateBytes = 1024 * 1024;

    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>The only user who may see it.</summary>
    public required string UserId { get; init; }

    /// <summary>The organization it was worked on for; null for work of the user's own. It ends with the membership.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>The conversation it belongs to; null for none.</summary>
    public string? ConversationId { get; set; }

    /// <summary>JSON object.</summary>
    public required string State { get; set; }

    /// <summary>Grows by one with every change.</summary>
    public long Version { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>About when it was last read or changed, UTC.</summary>
    public DateTimeOffset LastAccessedAt { get; set; }

    /// <summary>From when it counts as gone, UTC; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
}

internal sealed class SessionConfiguration : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> builder)
    {
        builder.HasIndex(session => new { session.UserId, session.Id });
        builder.HasIndex(session => session.ExpiresAt).HasFilter("expires_at IS NOT NULL"); // swept when it is over
        builder.HasOne<User>().WithMany().HasForeignKey(session => session.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<OrganizationMembership>().WithMany()
            .HasForeignKey(session => new { session.OrganizationId, session.UserId }).OnDelete(DeleteBehavior.Cascade);
        builder.Property(session => session.State).HasColumnType("jsonb");
        builder.Property(session => session.Version).IsConcurrencyToken();
        builder.ToTable(table =>
        {
            table.HasCheckConstraint("ck_sessions_state", "jsonb_typeof(state) = 'object'");
            // jsonb may print a little longer than what was sent; the API holds the exact limit.
            table.HasCheckConstraint("ck_sessions_state_size", $"octet_length(state::text) <= {2 * Session.MostStateBytes}");
        });
    }
}
