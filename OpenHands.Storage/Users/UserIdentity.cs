using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Users;

/// <summary>Who somebody is at an issuer of identities. It outlives the user, so that who was removed does not come back as a new one.</summary>
public sealed class UserIdentity
{
    /// <summary>The issuer, as its tokens name it.</summary>
    public required string Issuer { get; init; }

    /// <summary>The subject at that issuer.</summary>
    public required string Subject { get; init; }

    /// <summary>The user; null when the user was removed.</summary>
    public string? UserId { get; set; }

    /// <summary>When it was first seen, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class UserIdentityConfiguration : IEntityTypeConfiguration<UserIdentity>
{
    public void Configure(EntityTypeBuilder<UserIdentity> builder)
    {
        builder.ToTable("user_identities");
        builder.HasKey(identity => new { identity.Issuer, identity.Subject });
        builder.HasIndex(identity => identity.UserId);
        builder.HasOne<User>().WithMany().HasForeignKey(identity => identity.UserId).OnDelete(DeleteBehavior.SetNull);
    }
}
