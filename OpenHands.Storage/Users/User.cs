using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Users;

/// <summary>Somebody who uses the platform. Only identity writes the profile; a settings form never does.</summary>
public sealed class User
{
    /// <summary>UUIDv7 as 32 hex digits, or the fixed id of the one user in local mode.</summary>
    public required string Id { get; init; }

    /// <summary>Verified address, unique over the platform; null when identity gave none.</summary>
    public string? Email { get; set; }

    /// <summary>Name to show; null when identity gave none.</summary>
    public string? DisplayName { get; set; }

    /// <summary>
    /// The organization that requests act in unless they name one; null before the first login and after leaving it.
    /// The foreign key stands in the migration: it is the user's membership, and its end sets only this column to null.
    /// </summary>
    public string? ActiveOrganizationId { get; set; }

    /// <summary>When the row was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the profile last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class UserConfiguration : IEntityTypeConfiguration<User>
{
    public void Configure(EntityTypeBuilder<User> builder)
    {
        builder.HasIndex(user => user.Email).IsUnique();
        builder.HasIndex(user => new { user.ActiveOrganizationId, user.Id }); // found when a membership ends
    }
}
