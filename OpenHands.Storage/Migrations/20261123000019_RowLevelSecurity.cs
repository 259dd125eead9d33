using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class RowLevelSecurity : Migration
    {
        // Tables whose rows belong to a user or an organization, and the one of the system role.
        private static readonly string[] Tables =
        [
            "users", "user_settings", "organizations", "organization_memberships", "sessions", "secrets", "secret_versions", "api_keys", "dead_letters",
        ];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Plain foreign keys bypass row-level security and would let a row point at another tenant's.
            migrationBuilder.Sql(
                """
                ALTER TABLE users ADD CONSTRAINT fk_users_organization_memberships_active_organization_id_id
                    FOREIGN KEY (active_organization_id, id) REFERENCES organization_memberships (organization_id, user_id)
                    ON DELETE SET NULL (active_organization_id);
                ALTER TABLE secret_versions ADD CONSTRAINT fk_secret_versions_secrets_user_id_secret_id
                    FOREIGN KEY (user_id, secret_id) REFERENCES secrets (user_id, id) ON DELETE CASCADE;
                ALTER TABLE secret_versions ADD CONSTRAINT fk_secret_versions_secrets_organization_id_secret_id
                    FOREIGN KEY (organization_id, secret_id) REFERENCES secrets (organization_id, id) ON DELETE CASCADE;
                """);

            // The setting is '' after its first use in a connection, hence nullif. Inlined, so that indexes are used.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION tenant_user() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
                    AS $$ SELECT nullif(current_setting('app.user_id', true), '') $$;

                -- The named or else the active organization of the user, if the user is a member. As the owner: a policy that reads its own table recurses.
                CREATE FUNCTION tenant_organization() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                BEGIN
                    RETURN (
                        SELECT m.organization_id FROM public.organization_memberships m
                        WHERE m.user_id = nullif(current_setting('app.user_id', true), '') AND m.organization_id = coalesce(
                            nullif(current_setting('app.organization_id', true), ''),
                            (SELECT u.active_organization_id FROM public.users u WHERE u.id = nullif(current_setting('app.user_id', true), ''))));
                END
                $$;

                -- The same, if the user is its admin.
                CREATE FUNCTION tenant_admin_organization() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                BEGIN
                    RETURN (
                        SELECT m.organization_id FROM public.organization_memberships m
                        WHERE m.role = 'admin' AND m.user_id = nullif(current_setting('app.user_id', true), '') AND m.organization_id = coalesce(
                            nullif(current_setting('app.organization_id', true), ''),
                            (SELECT u.active_organization_id FROM public.users u WHERE u.id = nullif(current_setting('app.user_id', true), ''))));
                END
                $$;

                -- An organization with the user as its only member and admin.
                CREATE FUNCTION create_organization(organization_id text, organization_name text, at timestamptz) RETURNS void
                    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                BEGIN
                    INSERT INTO public.organizations (id, name, version, created_at, updated_at) VALUES (organization_id, organization_name, 1, at, at);
                    INSERT INTO public.organization_memberships (organization_id, user_id, role, version, created_at, updated_at)
                    VALUES (organization_id, public.tenant_user(), 'admin', 1, at, at);
                END
                $$;

                -- The user's row and default organization, made once however many first requests race.
                CREATE FUNCTION sign_in(new_organization_id text, organization_name text, at timestamptz) RETURNS void
                    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                DECLARE
                    me text := public.tenant_user();
                    made text;
                BEGIN
                    IF EXISTS (SELECT FROM public.organizations WHERE default_of_user_id = me) THEN
                        RETURN;
                    END IF;
                    INSERT INTO public.users (id, created_at, updated_at) VALUES (me, at, at) ON CONFLICT (id) DO NOTHING;
                    INSERT INTO public.organizations (id, name, default_of_user_id, version, created_at, updated_at)
                    VALUES (new_organization_id, organization_name, me, 1, at, at) ON CONFLICT (default_of_user_id) DO NOTHING RETURNING id INTO made;
                    IF made IS NOT NULL THEN
                        INSERT INTO public.organization_memberships (organization_id, user_id, role, version, created_at, updated_at)
                        VALUES (made, me, 'admin', 1, at, at);
                        UPDATE public.users SET active_organization_id = made WHERE id = me;
                    END IF;
                END
                $$;

                -- Locks the organization before it counts: two admins that go at the same time do not see each other's change otherwise.
                CREATE FUNCTION keep_an_admin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                DECLARE
                    concerned text;
                BEGIN
                    IF TG_TABLE_NAME = 'organizations' THEN concerned := NEW.id; ELSE concerned := OLD.organization_id; END IF;
                    IF current_setting('transaction_isolation') <> 'read committed' THEN
                        RAISE EXCEPTION 'Memberships are changed under READ COMMITTED: a snapshot would hide the admin who has just gone.'
                            USING ERRCODE = 'feature_not_supported';
                    END IF;
                    PERFORM FROM public.organizations WHERE id = concerned FOR NO KEY UPDATE;
                    IF FOUND AND NOT EXISTS (
                        SELECT FROM public.organization_memberships WHERE organization_id = concerned AND role = 'admin') THEN
                        RAISE EXCEPTION 'An organization must keep an admin.' USING ERRCODE = 'OH001';
                    END IF;
                    RETURN NULL;
                END
                $$;

                CREATE CONSTRAINT TRIGGER keep_an_admin AFTER INSERT ON organizations
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_an_admin();
                CREATE CONSTRAINT TRIGGER keep_an_admin_on_delete AFTER DELETE ON organization_memberships
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.role = 'admin') EXECUTE FUNCTION keep_an_admin();
                CREATE CONSTRAINT TRIGGER keep_an_admin_on_update AFTER UPDATE ON organization_memberships
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                    WHEN (OLD.role = 'admin' AND (NEW.role <> 'admin' OR NEW.organization_id <> OLD.organization_id)) EXECUTE FUNCTION keep_an_admin();
                """);

            foreach (var table in Tables)
                migrationBuilder.Sql($"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY");

            // A subquery of a function without parameters is run once per statement, not once per row.
            migrationBuilder.Sql(
                """
                CREATE POLICY own ON users USING (id = tenant_user()) WITH CHECK (id = tenant_user());
                CREATE POLICY colleagues ON users FOR SELECT USING (EXISTS (
                    SELECT FROM organization_memberships m WHERE m.user_id = users.id AND m.organization_id = (SELECT tenant_organization())));

                CREATE POLICY own ON user_settings USING (user_id = tenant_user()) WITH CHECK (user_id = tenant_user());

                CREATE POLICY joined ON organizations FOR SELECT USING (EXISTS (
                    SELECT FROM organization_memberships m WHERE m.organization_id = organizations.id AND m.user_id = tenant_user()));
                CREATE POLICY changed_by_admin ON organizations FOR UPDATE
                    USING (id = (SELECT tenant_admin_organization())) WITH CHECK (id = (SELECT tenant_admin_organization()));

                CREATE POLICY seen_by_members ON organization_memberships FOR SELECT
                    USING (user_id = tenant_user() OR organization_id = (SELECT tenant_organization()));
                CREATE POLICY added_by_admin ON organization_memberships FOR INSERT
                    WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                CREATE POLICY changed_by_admin ON organization_memberships FOR UPDATE
                    USING (organization_id = (SELECT tenant_admin_organization())) WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                CREATE POLICY removed_by_admin_or_left ON organization_memberships FOR DELETE
                    USING (user_id = tenant_user() OR organization_id = (SELECT tenant_admin_organization()));

                CREATE POLICY own ON sessions
                    USING (user_id = tenant_user() AND (organization_id IS NULL OR organization_id = (SELECT tenant_organization())))
                    WITH CHECK (user_id = tenant_user() AND (organization_id IS NULL OR organization_id = (SELECT tenant_organization())));

                CREATE POLICY own ON api_keys
                    USING (user_id = tenant_user() AND organization_id = (SELECT tenant_organization()))
                    WITH CHECK (user_id = tenant_user() AND organization_id = (SELECT tenant_organization()));
                """);

            foreach (var table in new[] { "secrets", "secret_versions" })
            {
                migrationBuilder.Sql(
                    $"""
                    CREATE POLICY own ON {table} USING (user_id = tenant_user()) WITH CHECK (user_id = tenant_user());
                    CREATE POLICY used_by_members ON {table} FOR SELECT USING (organization_id = (SELECT tenant_organization()));
                    CREATE POLICY changed_by_admin ON {table}
                        USING (organization_id = (SELECT tenant_admin_organization())) WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                    """);
            }

            // FORCE holds for the owner, too, as whom the functions above run. Nobody logs in as it.
            foreach (var table in new[] { "users", "organizations", "organization_memberships" })
                migrationBuilder.Sql($"CREATE POLICY functions_of_the_owner ON {table} TO openhands_owner USING (true) WITH CHECK (true)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DO $$
                DECLARE
                    p record;
                BEGIN
                    FOR p IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public' LOOP
                        EXECUTE format('DROP POLICY %I ON %I', p.policyname, p.tablename);
                    END LOOP;
                END
                $$;
                """);
            foreach (var table in Tables)
                migrationBuilder.Sql($"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY");
            migrationBuilder.Sql(
                """
                DROP FUNCTION keep_an_admin() CASCADE;
                DROP FUNCTION sign_in(text, text, timestamptz);
                DROP FUNCTION create_organization(text, text, timestamptz);
                DROP FUNCTION tenant_admin_organization();
                DROP FUNCTION tenant_organization();
                DROP FUNCTION tenant_user();
                ALTER TABLE secret_versions DROP CONSTRAINT fk_secret_versions_secrets_organization_id_secret_id;
                ALTER TABLE secret_versions DROP CONSTRAINT fk_secret_versions_secrets_user_id_secret_id;
                ALTER TABLE users DROP CONSTRAINT fk_users_organization_memberships_active_organization_id_id;
                """);
        }
    }
}
