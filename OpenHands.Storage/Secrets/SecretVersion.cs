using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace OpenHands.Storage.Secrets;

/// <summary>A former version of a secret, as it was.</summary>
public sealed class SecretVersion
{
    /// <summary>The secret.</summary>
    public required string SecretId { get; init; }

    /// <summary>The version that this was.</summary>
    public long Version { get; init; }

    /// <summary>The user whose it is; null when it is an organization's.</summary>
    public string? UserId { get; init; }

    /// <summary>The organization whose it is; null when it is a user's.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>Its name then: the JWE is bound to it.</summary>
    public required string Key { get; init; }

    /// <summary>JWE of the value.</summary>
    public required string ValueEncrypted { get; init; }

    /// <summary>Id of the key of the ring that encrypted it.</summary>
    public required string KeyId { get; init; }

    /// <summary>When this version was replaced, UTC.</summary>
    public DateTimeOffset ReplacedAt { get; init; }
}

/// <remarks>The foreign keys stand in the migration: they include an owner of which one column is always null.</remarks>
internal sealed class SecretVersionConfiguration : IEntityTypeConfiguration<SecretVersion>
{
    public void Configure(EntityTypeBuilder<SecretVersion> builder)
    {
        builder.HasKey(version => new { version.SecretId, version.Version });
        builder.HasIndex(version => new { version.KeyId, version.SecretId, version.Version });
        builder.HasIndex(version => new { version.UserId, version.SecretId });
        builder.HasIndex(version => new { version.OrganizationId, version.SecretId });
        builder.ToTable(table => table.HasCheckConstraint("ck_secret_versions_owner", "num_nonnulls(user_id, organization_id) = 1"));
    }
}
