using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Organizations;

namespace OpenHands.Storage.Settings;

/// <summary>What an organization gives its members for the language model, as long as they choose nothing themselves.</summary>
public sealed class OrganizationSettings
{
    /// <summary>Whose these are.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>JSON object of the fields that are no secret.</summary>
    public required string Document { get; set; }

    /// <summary>JSON object, field name → JWE. A field that is not set is absent.</summary>
    public required string Secrets { get; set; }

    /// <summary>Id of the key of the ring that encrypted them; null while there are none.</summary>
    public string? KeyId { get; set; }

    /// <summary>Grows by one with every change; every JWE of the row is bound to it.</summary>
    public long Version { get; set; }

    /// <summary>When the first were saved, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When they last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class OrganizationSettingsConfiguration : IEntityTypeConfiguration<OrganizationSettings>
{
    public void Configure(EntityTypeBuilder<OrganizationSettings> builder)
    {
        builder.HasKey(settings => settings.OrganizationId);
        builder.HasIndex(settings => settings.KeyId);
        builder.HasOne<Organization>().WithOne().HasForeignKey<OrganizationSettings>(settings => settings.OrganizationId).OnDelete(DeleteBehavior.Cascade);
        builder.Property(settings => settings.Document).HasColumnType("jsonb");
        builder.Property(settings => settings.Secrets).HasColumnType("jsonb");
        builder.Property(settings => settings.Version).IsConcurrencyToken();
        builder.ToTable(table =>
        {
            table.HasCheckConstraint("ck_organization_settings_document", "jsonb_typeof(document) = 'object'");
            table.HasCheckConstraint("ck_organization_settings_secrets", "jsonb_typeof(secrets) = 'object'");
        });
    }
}
