using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Webhooks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            CREATE TABLE webhooks (
                id text CONSTRAINT pk_webhooks PRIMARY KEY,
                organization_id text NOT NULL CONSTRAINT fk_webhooks_organizations_organization_id REFERENCES organizations (id) ON DELETE CASCADE,
                url text NOT NULL CONSTRAINT ck_webhooks_url CHECK (octet_length(url) <= 2000),
                event_types text[] NOT NULL,
                secret_encrypted text NOT NULL,
                key_id text NOT NULL,
                is_enabled boolean NOT NULL,
                version bigint NOT NULL,
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL,
                CONSTRAINT ak_webhooks_organization_id_id UNIQUE (organization_id, id)
            );
            CREATE INDEX ix_webhooks_key_id_id ON webhooks (key_id, id);

            CREATE TABLE webhook_deliveries (
                id text CONSTRAINT pk_webhook_deliveries PRIMARY KEY,
                webhook_id text NOT NULL,
                organization_id text NOT NULL,
                event_type text NOT NULL,
                status text NOT NULL CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('pending', 'delivered', 'failed')),
                attempts integer NOT NULL,
                response_status integer,
                error text,
                lease_number bigint NOT NULL,
                created_at timestamptz NOT NULL,
                last_attempt_at timestamptz,
                CONSTRAINT fk_webhook_deliveries_webhooks_organization_id_webhook_id FOREIGN KEY (organization_id, webhook_id)
                    REFERENCES webhooks (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX ix_webhook_deliveries_organization_id_webhook_id_id ON webhook_deliveries (organization_id, webhook_id, id);
            CREATE INDEX ix_webhook_deliveries_created_at ON webhook_deliveries (created_at);

            ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
            ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
            ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
            ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
            CREATE POLICY kept_by_admin ON webhooks
                USING (organization_id = (SELECT tenant_admin_organization())) WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
            CREATE POLICY seen_by_admin ON webhook_deliveries FOR SELECT USING (organization_id = (SELECT tenant_admin_organization()));

            -- A member may cause an event without being allowed to see who is told of it: which, and nothing more.
            CREATE FUNCTION webhooks_for(wanted_type text) RETURNS TABLE (webhook_id text)
                LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            AS $$
            BEGIN
                RETURN QUERY SELECT w.id FROM public.webhooks w
                    WHERE w.organization_id = public.tenant_organization() AND w.is_enabled AND (w.event_types = '{}' OR wanted_type = ANY (w.event_types));
            END
            $$;
            CREATE POLICY functions_of_the_owner ON webhooks TO openhands_owner USING (true) WITH CHECK (true);
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            DROP FUNCTION webhooks_for(text);
            DROP TABLE webhook_deliveries, webhooks;
            """);
    }
}
