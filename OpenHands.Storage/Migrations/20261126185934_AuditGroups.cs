using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class AuditGroups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_audit_events_organization_id_id",
                table: "audit_events");

            migrationBuilder.DropIndex(
                name: "ix_audit_events_user_id_id",
                table: "audit_events");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_organization_id_id",
                table: "audit_events",
                columns: new[] { "organization_id", "id" },
                filter: "organization_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_user_id_id",
                table: "audit_events",
                columns: new[] { "user_id", "id" },
                filter: "user_id IS NOT NULL");

            // What the log notes arrives in groups, one row for each commit; the sealer makes events of them. Writing an event, and then
            // updating it with its position, cost every index twice.
            migrationBuilder.Sql(
                """
                CREATE TABLE audit_groups (
                    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_groups PRIMARY KEY,
                    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
                    ids text[] NOT NULL,
                    organization_ids text[] NOT NULL,
                    user_ids text[] NOT NULL,
                    actors text[] NOT NULL,
                    actions text[] NOT NULL,
                    targets text[] NOT NULL,
                    details text[] NOT NULL,
                    addresses text[] NOT NULL,
                    api_key_ids text[] NOT NULL,
                    request_ids text[] NOT NULL,
                    instants timestamptz[] NOT NULL,
                    CONSTRAINT ck_audit_groups_events CHECK (
                        cardinality(ids) BETWEEN 1 AND 1000
                        AND (cardinality(organization_ids), cardinality(user_ids), cardinality(actors), cardinality(actions), cardinality(targets),
                            cardinality(details), cardinality(addresses), cardinality(api_key_ids), cardinality(request_ids), cardinality(instants))
                            = (cardinality(ids), cardinality(ids), cardinality(ids), cardinality(ids), cardinality(ids),
                            cardinality(ids), cardinality(ids), cardinality(ids), cardinality(ids), cardinality(ids))
                        AND array_position(ids, NULL) IS NULL AND array_position(actors, NULL) IS NULL AND array_position(actions, NULL) IS NULL
                        AND array_position(targets, NULL) IS NULL AND array_position(details, NULL) IS NULL AND array_position(instants, NULL) IS NULL)
                ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

                ALTER TABLE audit_groups ENABLE ROW LEVEL SECURITY;
                ALTER TABLE audit_groups FORCE ROW LEVEL SECURITY;
                CREATE POLICY functions_of_the_owner ON audit_groups TO openhands_owner USING (true) WITH CHECK (true);

                -- What changes no row of its own, of many tenants at once: those who wait at the same time share a commit and a row.
                -- PL/pgSQL keeps the plan. The release before calls note_audit_events, which writes events.
                CREATE FUNCTION add_audit_group(
                    ids text[], organizations text[], users text[], actors text[], actions text[], targets text[], details text[],
                    addresses text[], keys text[], requests text[], instants timestamptz[]) RETURNS void
                    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                BEGIN
                    INSERT INTO public.audit_groups
                        (ids, organization_ids, user_ids, actors, actions, targets, details, addresses, api_key_ids, request_ids, instants)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
                END
                $$;

                -- Those that are not sealed yet, as the policies of audit_events show the sealed ones.
                CREATE FUNCTION noted_audit_events() RETURNS TABLE (
                        id text, organization_id text, user_id text, actor text, action text, target text, detail text,
                        address text, api_key_id text, request_id text, occurred_at timestamptz, "position" bigint, transaction_id xid8)
                    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                    SELECT n.id, n.organization_id, n.user_id, n.actor, n.action, n.target, n.detail, n.address, n.api_key_id, n.request_id, n.occurred_at,
                        NULL::bigint, g.transaction_id
                    FROM public.audit_groups g CROSS JOIN LATERAL unnest(
                        g.ids, g.organization_ids, g.user_ids, g.actors, g.actions, g.targets, g.details, g.addresses, g.api_key_ids, g.request_ids, g.instants)
                        AS n(id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at)
                    WHERE n.organization_id = (SELECT public.tenant_admin_organization())
                        OR (n.organization_id IS NULL AND n.user_id = public.tenant_user())
                $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                INSERT INTO audit_events
                    (id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at, transaction_id)
                SELECT n.*, g.transaction_id FROM audit_groups g CROSS JOIN LATERAL unnest(
                    g.ids, g.organization_ids, g.user_ids, g.actors, g.actions, g.targets, g.details, g.addresses, g.api_key_ids, g.request_ids, g.instants) AS n;
                DROP FUNCTION add_audit_group(text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], timestamptz[]);
                DROP FUNCTION noted_audit_events();
                DROP TABLE audit_groups;
                """);

            migrationBuilder.DropIndex(
                name: "ix_audit_events_organization_id_id",
                table: "audit_events");

            migrationBuilder.DropIndex(
                name: "ix_audit_events_user_id_id",
                table: "audit_events");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_organization_id_id",
                table: "audit_events",
                columns: new[] { "organization_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_user_id_id",
                table: "audit_events",
                columns: new[] { "user_id", "id" });
        }
    }
}
