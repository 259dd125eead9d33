using OpenHands.Storage.Postgres;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Tenancy;

/// <summary>Walks the catalogue: a new table, policy, function or role has to be decided on here.</summary>
public sealed class TenantTablesTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    /// <summary>Tables without a tenant.</summary>
    private static readonly string[] Open = ["__EFMigrationsHistory", "data_protection_keys", "encryption_keys", "fences"];

    [Fact]
    public async Task Every_table_is_under_forced_row_level_security_with_a_policy()
    {
        Assert.Equal(Open, await fixture.Database.QueryAsync(
            """
            SELECT relname FROM pg_class c
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
              AND NOT (relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
            ORDER BY 1
            """));
        Assert.Empty(await fixture.Database.QueryAsync(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'p', 'i', 'S', 't')"));
    }

    [Fact]
    public async Task Every_column_that_names_a_tenant_leads_an_index()
    {
        var columns = await fixture.Database.QueryAsync(
            """
            SELECT c.relname, a.attname,
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid
                    -- An index of the rows that have a tenant serves as well: no other is looked for.
                    AND coalesce(pg_get_expr(i.indpred, i.indrelid), format('(%I IS NOT NULL)', a.attname)) = format('(%I IS NOT NULL)', a.attname))
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
              AND (a.attname IN ('user_id', 'organization_id') OR (a.attname = 'id' AND c.relname IN ('users', 'organizations')))
            """);
        Assert.True(columns.Count >= 13, string.Join('\n', columns));
        Assert.All(columns, column => Assert.EndsWith("|True", column));
    }

    [Fact]
    public async Task Foreign_keys_between_tables_of_tenants_name_the_tenant()
    {
        Assert.Empty(await fixture.Database.QueryAsync(
            """
            SELECT conname FROM pg_constraint f
            WHERE contype = 'f' AND NOT EXISTS (
                SELECT FROM unnest(f.conkey, f.confkey) AS pair(own, other)
                JOIN pg_attribute o ON o.attrelid = f.confrelid AND o.attnum = pair.other
                WHERE o.attname IN ('user_id', 'organization_id')
                   OR (o.attname = 'id' AND f.confrelid IN ('users'::regclass, 'organizations'::regclass)))
            """));
    }

    [Fact]
    public async Task Every_foreign_key_has_an_index_and_says_what_a_deletion_does() => Assert.Empty(await fixture.Database.QueryAsync(
        """
        SELECT conname FROM pg_constraint f
        WHERE contype = 'f' AND (confdeltype = 'a' OR NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = f.conrelid AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') NOT LIKE '%=%'
            AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey))
        """));

    [Fact]
    public async Task Only_the_allowed_functions_run_as_the_owner_and_their_search_path_is_fixed()
    {
        Assert.Equal(
            ["add_audit_group", "audit_change", "create_organization", "find_api_key", "keep_an_admin", "note_api_key_uses", "note_audit_events", "note_session_accesses", "noted_audit_events", "remove_user", "sign_in", "sign_in_identity", "tenant_admin_organization", "tenant_organization", "use_invitation", "webhooks_for"],
            await fixture.Database.QueryAsync("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1"));
        Assert.Empty(await fixture.Database.QueryAsync(
            """
            SELECT proname FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND prosecdef AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']
            """));
    }

    [Fact]
    public async Task Each_role_may_call_only_what_it_needs()
    {
        Assert.Equal(
            DatabaseGrants.AppFunctions.Order(StringComparer.Ordinal),
            (await CallableAsync("openhands_app")).Order(StringComparer.Ordinal));
        Assert.Empty(await CallableAsync("openhands_system"));

        async Task<IReadOnlyList<string>> CallableAsync(string role) => await fixture.Database.QueryAsync(
            $"""
            SELECT proname || '(' || array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t), ', ') || ')' FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND has_function_privilege('{role}', oid, 'EXECUTE')
            """);
    }

    [Fact]
    public async Task No_role_crosses_tenants()
    {
        // Whoever a policy names sees what it says regardless of the tenant.
        Assert.Equal(
            [
                "api_keys|{openhands_owner}", "audit_events|{openhands_owner}", "audit_events|{openhands_system}", "audit_groups|{openhands_owner}", "audit_groups|{openhands_system}", "audit_retentions|{openhands_system}", "audit_seals|{openhands_system}",
                "data_protection_keys|{openhands_system}", "dead_letters|{openhands_system}", "idempotency_records|{openhands_system}", "invitations|{openhands_owner}", "invitations|{openhands_system}",
                "key_rotation_runs|{openhands_system}", "organization_memberships|{openhands_owner}", "organization_settings|{openhands_system}", "organizations|{openhands_owner}", "organizations|{openhands_system}", "queue_minutes|{openhands_system}",
                "queue_rules|{openhands_system}", "queue_weights|{openhands_system}", "recurring_tasks|{openhands_system}", "secret_versions|{openhands_system}", "secrets|{openhands_system}",
                "sessions|{openhands_owner}", "sessions|{openhands_system}", "tasks|{openhands_system}", "tenant_keys|{openhands_system}", "user_identities|{openhands_owner}",
                "user_settings|{openhands_system}", "users|{openhands_owner}", "webhook_deliveries|{openhands_system}", "webhooks|{openhands_owner}", "webhooks|{openhands_system}", "workers|{openhands_system}",
            ],
            await fixture.Database.QueryAsync("SELECT tablename, roles::text FROM pg_policies WHERE roles <> '{public}' ORDER BY 1, 2"));
        Assert.Empty(await fixture.Database.QueryAsync(
            "SELECT tablename, policyname FROM pg_policies WHERE roles = '{public}' AND coalesce(qual, with_check) NOT LIKE '%tenant\\_%'"));
        Assert.Equal(
            ["audit_events", "audit_groups", "audit_retentions", "audit_seals", "dead_letters", "encryption_keys", "key_rotation_runs", "queue_minutes", "queue_rules", "queue_weights", "recurring_tasks", "tasks", "tenant_keys", "webhook_deliveries", "workers"],
            await fixture.Database.QueryAsync(
                """
                SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> '__EFMigrationsHistory'
                  AND has_table_privilege('openhands_system', oid, 'SELECT, INSERT, UPDATE') ORDER BY 1
                """));
        Assert.Equal(
            ["audit_groups", "idempotency_records", "invitations", "sessions"],
            await fixture.Database.QueryAsync(
                """
                SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                  AND has_table_privilege('openhands_system', oid, 'DELETE') AND NOT has_table_privilege('openhands_system', oid, 'INSERT') ORDER BY 1
                """));
        Assert.Equal(
            ["organization_settings.key_id", "organization_settings.secrets", "secret_versions.key_id", "secret_versions.value_encrypted", "secrets.key_id", "secrets.value_encrypted", "user_settings.key_id", "user_settings.secrets"],
            await fixture.Database.QueryAsync(
                """
                SELECT relname || '.' || attname FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
                WHERE relnamespace = 'public'::regnamespace AND relname IN ('secrets', 'secret_versions', 'user_settings', 'organization_settings') AND attnum > 0
                  AND has_column_privilege('openhands_system', c.oid, attnum, 'INSERT, UPDATE') ORDER BY 1
                """));
        Assert.Empty(await fixture.Database.QueryAsync(
            """
            SELECT relname || '.' || attname FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
            WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND attname IN ('document', 'description', 'state', 'email', 'hash', 'body', 'fingerprint') AND relname <> 'audit_seals'
              AND has_column_privilege('openhands_system', c.oid, attnum, 'SELECT')
            """));
        Assert.Empty(await fixture.Database.QueryAsync(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'openhands%' AND (rolsuper OR rolbypassrls OR pg_has_role('openhands_app', oid, 'MEMBER') AND rolname <> 'openhands_app')"));
    }
}
