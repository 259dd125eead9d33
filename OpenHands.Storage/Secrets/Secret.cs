using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Secrets;

/// <summary>A named secret of one user or of one organization, in its current version.</summary>
public sealed class Secret
{
    /// <summary>UUIDv7 as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>The user whose it is; null when it is an organization's.</summary>
    public string? UserId { get; init; }

    /// <summary>The organization whose it is; null when it is a user's.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>One of <see cref="SecretKind"/>. Names of different kinds never meet.</summary>
    public required string Kind { get; init; }

    /// <summary>Name, unique among the owner's secrets of its kind; upper and lower case differ.</summary>
    public required string Key { get; set; }

    /// <summary>JWE of the value, bound to this row, key and version.</summary>
    public required string ValueEncrypted { get; set; }

    /// <summary>Id of the key of the ring that encrypted it.</summary>
    public required string KeyId { get; set; }

    /// <summary>What it is for, in the owner's words; '' for nothing.</summary>
    public required string Description { get; set; }

    /// <summary>Host that a provider token is for; null for the provider's own, and for any other kind.</summary>
    public string? Host { get; set; }

    /// <summary>Grows by one with every change; the JWE is bound to it.</summary>
    public long Version { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class SecretConfiguration : IEntityTypeConfiguration<Secret>
{
    public void Configure(EntityTypeBuilder<Secret> builder)
    {
        builder.HasIndex(secret => new { secret.UserId, secret.Kind, secret.Key }).IsUnique();
        builder.HasIndex(secret => new { secret.OrganizationId, secret.Kind, secret.Key }).IsUnique();
        builder.HasIndex(secret => new { secret.KeyId, secret.Id });
        // What the versions refer to: the row together with its owner.
        builder.HasIndex(secret => new { secret.UserId, secret.Id }).IsUnique();
        builder.HasIndex(secret => new { secret.OrganizationId, secret.Id }).IsUnique();
        builder.HasOne<User>().WithMany().HasForeignKey(secret => secret.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Organization>().WithMany().HasForeignKey(secret => secret.OrganizationId).OnDelete(DeleteBehavior.Cascade);
        builder.Property(secret => secret.Version).IsConcurrencyToken();
        builder.ToTable(table =>
        {
            table.HasCheckConstraint("ck_secrets_owner", "num_nonnulls(user_id, organization_id) = 1");
            table.HasCheckConstraint("ck_secrets_kind", $"kind IN ('{SecretKind.Custom}', '{SecretKind.ProviderToken}')");
            table.HasCheckConstraint("ck_secrets_key", "length(key) BETWEEN 1 AND 256");
        });
    }
}
