namespace OpenHands.Cli.Tenants;

/// <summary>A table whose rows belong to organizations, to users or to both, and how they travel.</summary>
/// <param name="Name">The table.</param>
/// <param name="OfOrganization">Which rows go with an organization ($1); null for none.</param>
/// <param name="OfUser">Which rows go with a user ($1); null for none.</param>
/// <param name="Ciphertexts">Column with ciphertexts; null for none.</param>
internal sealed record TenantTable(string Name, string? OfOrganization, string? OfUser, string? Ciphertexts = null)
{
    /// <summary>All that travel, in an order in which foreign keys hold. A test fails when a new table is neither here nor among those left out.</summary>
    public static IReadOnlyList<TenantTable> All { get; } =
    [
        new("users", "id IN (SELECT user_id FROM organization_memberships WHERE organization_id = $1)", "id = $1"),
        new("organizations", "id = $1", null),
        new("organization_memberships", "organization_id = $1", null),
        new("organization_settings", "organization_id = $1", null, "secrets"),
        new("audit_retentions", "organization_id = $1", null),
        new("user_settings", null, "user_id = $1", "secrets"),
        new("secrets", "organization_id = $1", "user_id = $1", "value_encrypted"),
        new("secret_versions", "organization_id = $1", "user_id = $1", "value_encrypted"),
        new("webhooks", "organization_id = $1", null, "secret_encrypted"),
        new("sessions", "organization_id = $1", "user_id = $1 AND organization_id IS NULL"),
    ];

    /// <summary>Tables of tenants that stay: keys of callers are made anew, the audit log and its chain belong to the installation, as do tasks under way and the log of what webhooks were sent, invitations are sent anew, keys of tenants do not leave it.</summary>
    public static IReadOnlyList<string> LeftOut { get; } =
        ["api_keys", "audit_events", "audit_groups", "audit_seals", "data_protection_keys", "dead_letters", "encryption_keys", "fences", "idempotency_records", "invitations", "key_rotation_runs", "queue_minutes", "queue_rules", "queue_weights",
            "recurring_tasks", "tasks", "tenant_keys", "user_identities", "webhook_deliveries", "workers"];
}
