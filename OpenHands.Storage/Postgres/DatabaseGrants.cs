using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>What each role may do in the database: no more than it needs, and nothing for the public.</summary>
internal sealed class DatabaseGrants(NpgsqlConnection connection, MigrationConnections connections)
{
    private const string Owner = MigrationConnections.Owner;
    private const string History = "\"__EFMigrationsHistory\"";

    /// <summary>Tables of the worker's maintenance; every other table is closed to it.</summary>
    private static readonly string[] SystemTables =
        ["dead_letters", "tasks", "workers", "queue_rules", "queue_weights", "queue_minutes", "recurring_tasks", "webhook_deliveries", "key_rotation_runs"];

    /// <summary>The audit log, which the worker seals: events are placed, nothing else of them is changed, and links are only added.</summary>
    private static readonly string[] AuditTables = ["audit_events", "audit_groups", "audit_seals", "audit_retentions"];

    /// <summary>Halves of the keys of tenants, which the rotation makes where a tenant has none.</summary>
    private static readonly string[] KeyTables = ["tenant_keys"];

    /// <summary>Tables with ciphertexts: the columns that the rotation of keys reads, and those of them that it changes.</summary>
    private static readonly (string Table, string Read, string Changed)[] Rotated =
    [
        ("secrets", "id, user_id, organization_id, key, version, value_encrypted, key_id", "value_encrypted, key_id"),
        ("secret_versions", "secret_id, user_id, organization_id, key, version, value_encrypted, key_id", "value_encrypted, key_id"),
        ("user_settings", "user_id, version, secrets, key_id", "secrets, key_id"),
        ("organization_settings", "organization_id, version, secrets, key_id", "secrets, key_id"),
        ("webhooks", "id, organization_id, url, is_enabled, secret_encrypted, key_id", "secret_encrypted, key_id"),
        ("data_protection_keys", "id, encrypted, key_id", "encrypted, key_id"),
    ];

    /// <summary>Tables out of which the worker's maintenance sweeps what has expired, and the column that says so: all of it that it reads.</summary>
    private static readonly (string Table, string Column)[] Swept = [("idempotency_records", "created_at"), ("sessions", "expires_at"), ("invitations", "expires_at")];

    /// <summary>Tables of which the worker's maintenance only asks whether a row is still there: whose audit events nobody decides about any more.</summary>
    private static readonly string[] Counted = ["organizations"];

    /// <summary>What the app may call. Those that run as the owner see over the borders of tenants; every one is in docs/database.md.</summary>
    internal static readonly string[] AppFunctions =
    [
        "tenant_user()", "tenant_organization()", "tenant_admin_organization()",
        "sign_in(text, text, timestamp with time zone)", "create_organization(text, text, timestamp with time zone)", "remove_user()",
        "use_invitation(bytea, boolean, timestamp with time zone)",
        "sign_in_identity(text, text, text, text, text, timestamp with time zone)", "find_api_key(bytea)", "note_api_key_uses(text[], timestamp with time zone[])", "note_session_accesses(text[], timestamp with time zone[])",
        "note_audit_events(text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], timestamp with time zone[])",
        "add_audit_group(text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], timestamp with time zone[])", "noted_audit_events()",
        "webhooks_for(text)",
    ];

    private readonly string _app = Statements.Quoted(connections.App.Role);
    private readonly string _system = Statements.Quoted(connections.System.Role);

    /// <summary>As administrator, before the migrations: the schema is the owner's, the other two may use it.</summary>
    public Task OpenSchemaAsync(CancellationToken cancellationToken)
    {
        var database = Statements.Quoted(connection.Database);
        return connection.ExecuteAsync(
            $"""
            REVOKE ALL ON DATABASE {database} FROM PUBLIC;
            GRANT CONNECT ON DATABASE {database} TO {_app}, {_system};
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE, CREATE ON SCHEMA public TO {Owner};
            GRANT USAGE ON SCHEMA public TO {_app}, {_system};
            """, cancellationToken);
    }

    /// <summary>As owner, before the migrations: tables made from now on are at once open to the app, functions to nobody.</summary>
    public Task SetDefaultsAsync(CancellationToken cancellationToken) => connection.ExecuteAsync(
        $"""
        ALTER DEFAULT PRIVILEGES FOR ROLE {Owner} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {_app};
        ALTER DEFAULT PRIVILEGES FOR ROLE {Owner} IN SCHEMA public GRANT USAGE ON SEQUENCES TO {_app};
        ALTER DEFAULT PRIVILEGES FOR ROLE {Owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        """, cancellationToken);

    /// <summary>As owner, after the migrations, in one transaction: nobody running meanwhile loses a right for a moment.</summary>
    public Task GrantAsync(CancellationToken cancellationToken) => connection.ExecuteAsync(
        $"""
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {_app};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {_app};
        REVOKE INSERT, UPDATE, DELETE ON {History} FROM {_app};
        GRANT SELECT ON {History} TO {_system};
        GRANT SELECT, INSERT, UPDATE, DELETE ON {string.Join(", ", SystemTables)} TO {_system};
        REVOKE INSERT, UPDATE, DELETE ON webhook_deliveries FROM {_app};
        REVOKE UPDATE, DELETE ON encryption_keys, data_protection_keys FROM {_app};
        GRANT SELECT, INSERT, DELETE ON encryption_keys TO {_system};
        REVOKE INSERT, UPDATE, DELETE ON audit_events FROM {_app};
        REVOKE ALL ON audit_seals, audit_groups FROM {_app};
        GRANT SELECT, DELETE ON audit_groups TO {_system};
        GRANT SELECT, INSERT, DELETE, UPDATE (position) ON audit_events TO {_system};
        GRANT SELECT, INSERT ON audit_seals TO {_system};
        GRANT SELECT ON audit_retentions TO {_system};
        REVOKE UPDATE, DELETE ON tenant_keys FROM {_app};
        REVOKE ALL ON key_rotation_runs FROM {_app};
        GRANT SELECT, INSERT ON tenant_keys TO {_system};
        {string.Join('\n', Rotated.Select(table => $"GRANT SELECT ({table.Read}), UPDATE ({table.Changed}) ON {table.Table} TO {_system};"))}
        {string.Join('\n', Swept.Select(table => $"GRANT SELECT ({table.Column}), DELETE ON {table.Table} TO {_system};"))}
        {string.Join('\n', Counted.Select(table => $"GRANT SELECT (id) ON {table} TO {_system};"))}
        GRANT EXECUTE ON FUNCTION {string.Join(", ", AppFunctions)} TO {_app};
        {string.Join('\n', SystemTables.Concat(AuditTables).Concat(KeyTables).Concat(Rotated.Select(table => table.Table)).Concat(Swept.Select(table => table.Table)).Concat(Counted).Select(SystemPolicy))}
        """, cancellationToken);

    // Not in a migration: only the migration step knows the name of the role. Made once, since making it locks the table.
    private string SystemPolicy(string table) =>
        $"""
        DO $do$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM pg_policies
                WHERE schemaname = 'public' AND tablename = '{table}' AND policyname = 'system' AND roles = ARRAY['{connections.System.Role.Replace("'", "''")}']::name[]) THEN
                DROP POLICY IF EXISTS system ON {table};
                CREATE POLICY system ON {table} TO {_system} USING (true) WITH CHECK (true);
            END IF;
        END
        $do$;
        """;
}
