using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Operations : Migration
    {
        // Table, arguments of the trigger function, and which updates count; null where none does.
        private static readonly (string Table, string Arguments, string Updates)[] Audited =
        [
            ("secrets", "'secret', 'created', 'updated', 'deleted', 'key'", "OLD.version <> NEW.version"),
            ("user_settings", "'settings', 'created', 'updated', 'deleted', 'user_id'", "OLD.version <> NEW.version"),
            ("organization_settings", "'organization_settings', 'created', 'updated', 'deleted', 'organization_id'", "OLD.version <> NEW.version"),
            ("api_keys", "'api_key', 'created', '', 'revoked', 'id'", null),
            ("organization_memberships", "'member', 'added', 'role_changed', 'removed', 'user_id'", "OLD.role <> NEW.role"),
            ("organizations", "'organization', 'created', 'renamed', 'deleted', 'id'", "OLD.name <> NEW.name"),
            ("users", "'user', 'created', '', 'deleted', 'id'", null),
            ("audit_retentions", "'audit_retention', 'chosen', 'chosen', 'ended', 'organization_id'", "OLD.days <> NEW.days"),
        ];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_events",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    organization_id = table.Column<string>(type: "text", nullable: true),
                    user_id = table.Column<string>(type: "text", nullable: true),
                    actor = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: false),
                    address = table.Column<string>(type: "text", nullable: true),
                    api_key_id = table.Column<string>(type: "text", nullable: true),
                    request_id = table.Column<string>(type: "text", nullable: true),
                    occurred_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: true),
                    transaction_id = table.Column<ulong>(type: "xid8", nullable: false, defaultValueSql: "pg_current_xact_id()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_events", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "audit_retentions",
                columns: table => new
                {
                    organization_id = table.Column<string>(type: "text", nullable: false),
                    days = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_retentions", x => x.organization_id);
                    table.CheckConstraint("ck_audit_retentions_days", "days BETWEEN 30 AND 3650");
                    table.ForeignKey(
                        name: "fk_audit_retentions_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "audit_seals",
                columns: table => new
                {
                    number = table.Column<long>(type: "bigint", nullable: false),
                    first_position = table.Column<long>(type: "bigint", nullable: false),
                    leaves = table.Column<byte[]>(type: "bytea", nullable: false),
                    pruned = table.Column<string>(type: "text", nullable: true),
                    sealed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    previous = table.Column<byte[]>(type: "bytea", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    signing_key_id = table.Column<string>(type: "text", nullable: false),
                    signature = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_seals", x => x.number);
                });

            migrationBuilder.CreateTable(
                name: "key_rotation_runs",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    target_key_id = table.Column<string>(type: "text", nullable: false),
                    rows_per_second = table.Column<int>(type: "integer", nullable: false),
                    requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    rotated = table.Column<long>(type: "bigint", nullable: false),
                    total = table.Column<long>(type: "bigint", nullable: false),
                    refused = table.Column<string[]>(type: "text[]", nullable: false),
                    removable = table.Column<string[]>(type: "text[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_key_rotation_runs", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "tenant_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: true),
                    organization_id = table.Column<string>(type: "text", nullable: true),
                    salt = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tenant_keys", x => x.id);
                    table.CheckConstraint("ck_tenant_keys_owner", "num_nonnulls(user_id, organization_id) = 1");
                    table.CheckConstraint("ck_tenant_keys_salt", "octet_length(salt) = 32");
                    table.ForeignKey(
                        name: "fk_tenant_keys_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_tenant_keys_users_user_id",
                        column: x => x.user_id,
                        principalTable: "users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_organization_id_id",
                table: "audit_events",
                columns: new[] { "organization_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_position",
                table: "audit_events",
                column: "position",
                unique: true,
                filter: "position IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_transaction_id",
                table: "audit_events",
                column: "transaction_id",
                filter: "position IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_user_id_id",
                table: "audit_events",
                columns: new[] { "user_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_key_rotation_runs_target_key_id",
                table: "key_rotation_runs",
                column: "target_key_id",
                unique: true,
                filter: "finished_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_tenant_keys_organization_id",
                table: "tenant_keys",
                column: "organization_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_tenant_keys_user_id",
                table: "tenant_keys",
                column: "user_id",
                unique: true);

            // Who acts, for whom and from where stands in settings of the transaction; an id is a UUIDv7, as the application makes them.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION audit_id() RETURNS text LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS
                $$
                    SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                        || substr(replace(gen_random_uuid()::text, '-', ''), 14)
                $$;

                -- Arguments: subject, the words for insert, update and delete, and the column that names the target.
                -- A store may set app.audit_note to 'word|detail' to say more precisely what it does.
                CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                DECLARE
                    was jsonb;
                    is_now jsonb;
                    line jsonb;
                    subject text := TG_ARGV[0];
                    word text;
                    detail text := '';
                    note text := nullif(current_setting('app.audit_note', true), '');
                    origin text := coalesce(current_setting('app.origin', true), '');
                BEGIN
                    IF TG_OP <> 'INSERT' THEN was := to_jsonb(OLD); END IF;
                    IF TG_OP <> 'DELETE' THEN is_now := to_jsonb(NEW); END IF;
                    line := coalesce(is_now, was);
                    word := CASE TG_OP WHEN 'INSERT' THEN TG_ARGV[1] WHEN 'UPDATE' THEN TG_ARGV[2] ELSE TG_ARGV[3] END;
                    CASE TG_TABLE_NAME
                        WHEN 'secrets' THEN
                            IF line->>'kind' <> 'custom' THEN subject := line->>'kind'; END IF;
                            detail := 'version ' || (line->>'version');
                            IF TG_OP = 'UPDATE' AND was->>'key' <> is_now->>'key' THEN
                                word := 'renamed';
                                detail := detail || ', was ' || (was->>'key');
                            END IF;
                        WHEN 'user_settings', 'organization_settings' THEN
                            detail := 'secrets: ' || coalesce(nullif((SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(line->'secrets') k), ''), 'none');
                        WHEN 'organization_memberships' THEN
                            detail := CASE TG_OP WHEN 'UPDATE' THEN (was->>'role') || ' to ' || (is_now->>'role') ELSE line->>'role' END;
                        WHEN 'organizations' THEN
                            detail := line->>'name';
                        WHEN 'api_keys' THEN
                            detail := (line->>'name') || ': ' || (SELECT string_agg(s, ' ' ORDER BY s) FROM jsonb_array_elements_text(line->'scopes') s);
                        WHEN 'audit_retentions' THEN
                            detail := CASE TG_OP WHEN 'DELETE' THEN 'for ever' ELSE (line->>'days') || ' days' END;
                        ELSE
                    END CASE;
                    IF note IS NOT NULL THEN
                        word := split_part(note, '|', 1);
                        detail := concat_ws(', ', nullif(detail, ''), nullif(split_part(note, '|', 2), ''));
                        PERFORM set_config('app.audit_note', '', true);
                    END IF;
                    INSERT INTO public.audit_events
                        (id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at)
                    VALUES (
                        public.audit_id(),
                        CASE TG_TABLE_NAME WHEN 'organizations' THEN line->>'id' ELSE line->>'organization_id' END,
                        CASE TG_TABLE_NAME WHEN 'users' THEN line->>'id' ELSE line->>'user_id' END,
                        coalesce(nullif(current_setting('app.user_id', true), ''), session_user),
                        subject || '.' || word, coalesce(line->>TG_ARGV[4], ''), coalesce(detail, ''),
                        nullif(split_part(origin, '|', 1), ''), nullif(split_part(origin, '|', 2), ''), nullif(split_part(origin, '|', 3), ''),
                        clock_timestamp());
                    RETURN NULL;
                END
                $$;

                -- What changes no row of its own, of many tenants at once: those who wait at the same time share a commit.
                CREATE FUNCTION note_audit_events(
                    ids text[], organizations text[], users text[], actors text[], actions text[], targets text[], details text[],
                    addresses text[], keys text[], requests text[], instants timestamptz[]) RETURNS void
                    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                    INSERT INTO public.audit_events
                        (id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at)
                    SELECT * FROM unnest(ids, organizations, users, actors, actions, targets, details, addresses, keys, requests, instants)
                $$;
                """);

            foreach (var table in new[] { "audit_events", "audit_seals", "audit_retentions" })
                migrationBuilder.Sql($"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY");

            // Nobody changes an event: the app only reads, the functions of the owner only add.
            migrationBuilder.Sql(
                """
                CREATE POLICY read_by_admins ON audit_events FOR SELECT USING (organization_id = (SELECT tenant_admin_organization()));
                CREATE POLICY read_by_owner ON audit_events FOR SELECT USING (organization_id IS NULL AND user_id = tenant_user());
                CREATE POLICY functions_of_the_owner ON audit_events FOR INSERT TO openhands_owner WITH CHECK (true);
                CREATE POLICY chosen_by_admins ON audit_retentions
                    USING (organization_id = (SELECT tenant_admin_organization())) WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                """);

            // Not on what only marks a use, and not on what only re-encrypts: neither changes the version.
            foreach (var (table, arguments, updates) in Audited)
            {
                migrationBuilder.Sql($"CREATE TRIGGER audit_insert AFTER INSERT ON {table} FOR EACH ROW {Inserts(table)}EXECUTE FUNCTION audit_change({arguments})");
                migrationBuilder.Sql($"CREATE TRIGGER audit_delete AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_change({arguments})");
                if (updates is not null)
                    migrationBuilder.Sql($"CREATE TRIGGER audit_update AFTER UPDATE ON {table} FOR EACH ROW WHEN ({updates}) EXECUTE FUNCTION audit_change({arguments})");
            }

            migrationBuilder.Sql(
                """
                ALTER TABLE tenant_keys ENABLE ROW LEVEL SECURITY;
                ALTER TABLE tenant_keys FORCE ROW LEVEL SECURITY;
                ALTER TABLE key_rotation_runs ENABLE ROW LEVEL SECURITY;
                ALTER TABLE key_rotation_runs FORCE ROW LEVEL SECURITY;
                CREATE POLICY own ON tenant_keys USING (user_id = tenant_user()) WITH CHECK (user_id = tenant_user());
                CREATE POLICY used_by_members ON tenant_keys FOR SELECT USING (organization_id = (SELECT tenant_organization()));
                CREATE POLICY made_by_admin ON tenant_keys FOR INSERT WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                """);
        }

        // A row of settings is made empty and filled by the update that follows.
        private static string Inserts(string table) => table.EndsWith("_settings", System.StringComparison.Ordinal) ? "WHEN (NEW.version > 0) " : "";

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP FUNCTION audit_change() CASCADE;
                DROP FUNCTION note_audit_events(text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], timestamptz[]);
                DROP FUNCTION audit_id();
                """);
            migrationBuilder.DropTable(
                name: "audit_events");

            migrationBuilder.DropTable(
                name: "audit_retentions");

            migrationBuilder.DropTable(
                name: "audit_seals");

            migrationBuilder.DropTable(
                name: "key_rotation_runs");

            migrationBuilder.DropTable(
                name: "tenant_keys");
        }
    }
}
