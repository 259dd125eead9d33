using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ApiKeyLookup : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Before a tenant is known: who presents a key's hash has the key.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION find_api_key(wanted bytea)
                    RETURNS TABLE (id text, user_id text, organization_id text, scopes text[], expires_at timestamptz)
                    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$ SELECT k.id, k.user_id, k.organization_id, k.scopes, k.expires_at FROM public.api_keys k WHERE k.hash = wanted $$;

                -- Of many tenants at once, since nobody waits for it.
                CREATE FUNCTION note_api_key_uses(ids text[], instants timestamptz[]) RETURNS void
                    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                    UPDATE public.api_keys k SET last_used_at = u.at FROM unnest(ids, instants) AS u(id, at)
                    WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
                $$;

                CREATE POLICY functions_of_the_owner ON api_keys TO openhands_owner USING (true) WITH CHECK (true);
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            DROP POLICY functions_of_the_owner ON api_keys;
            DROP FUNCTION note_api_key_uses(text[], timestamptz[]);
            DROP FUNCTION find_api_key(bytea);
            """);
    }
}
