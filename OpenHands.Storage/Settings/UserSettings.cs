using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenHands.Storage.Users;

namespace OpenHands.Storage.Settings;

/// <summary>A user's preferences as stored: an open document, and beside it the encrypted fields.</summary>
public sealed class UserSettings
{
    /// <summary>Whose settings these are.</summary>
    public required string UserId { get; init; }

    /// <summary>JSON object of all fields that are no secret.</summary>
    public required string Document { get; set; }

    /// <summary>JSON object, field name → JWE. A field that is not set is absent.</summary>
    public required string Secrets { get; set; }

    /// <summary>Id of the key of the ring that encrypted them; null when they were stored before this was kept.</summary>
    public string? KeyId { get; set; }

    /// <summary>Grows by one with every change; every JWE of the row is bound to it.</summary>
    public long Version { get; set; }

    /// <summary>When the first settings were saved, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the settings last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class UserSettingsConfiguration : IEntityTypeConfiguration<UserSettings>
{
    public void Configure(EntityTypeBuilder<UserSettings> builder)
    {
        builder.HasKey(settings => settings.UserId);
        builder.HasOne<User>().WithOne().HasForeignKey<UserSettings>(settings => settings.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.Property(settings => settings.Document).HasColumnType("jsonb");
        builder.Property(settings => settings.Secrets).HasColumnType("jsonb");
        builder.HasIndex(settings => settings.KeyId);
        builder.Property(settings => settings.Version).IsConcurrencyToken();
        builder.ToTable(table =>
        {
            table.HasCheckConstraint("ck_user_settings_document", "jsonb_typeof(document) = 'object'");
            table.HasCheckConstraint("ck_user_settings_secrets", "jsonb_typeof(secrets) = 'object'");
        });
    }
}
