using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// What a tenant has of its own in the key that its secrets are encrypted under; the other half is the key ring. Each is worthless
/// without the other, so destroying this row makes every copy of the tenant's ciphertexts unreadable for ever.
/// </summary>
public sealed class TenantKey
{
    /// <summary>16 random hex digits; ciphertexts name it.</summary>
    public required string Id { get; init; }

    /// <summary>The user whose it is; null when it is an organization's.</summary>
    public string? UserId { get; init; }

    /// <summary>The organization whose it is; null when it is a user's.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>32 random bytes.</summary>
    public required byte[] Salt { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class TenantKeyConfiguration : IEntityTypeConfiguration<TenantKey>
{
    public void Configure(EntityTypeBuilder<TenantKey> builder)
    {
        builder.HasIndex(key => key.UserId).IsUnique();
        builder.HasIndex(key => key.OrganizationId).IsUnique();
        builder.HasOne<User>().WithOne().HasForeignKey<TenantKey>(key => key.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Organization>().WithOne().HasForeignKey<TenantKey>(key => key.OrganizationId).OnDelete(DeleteBehavior.Cascade);
        builder.ToTable("tenant_keys", table =>
        {
            table.HasCheckConstraint("ck_tenant_keys_owner", "num_nonnulls(user_id, organization_id) = 1");
            table.HasCheckConstraint("ck_tenant_keys_salt", "octet_length(salt) = 32");
        });
    }
}
