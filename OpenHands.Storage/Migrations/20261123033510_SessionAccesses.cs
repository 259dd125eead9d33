using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class SessionAccesses : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            -- Of many tenants at once, since nobody waits for it.
            CREATE FUNCTION note_session_accesses(ids text[], instants timestamptz[]) RETURNS void
                LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            AS $$
                UPDATE public.sessions s SET last_accessed_at = u.at FROM unnest(ids, instants) AS u(id, at)
                WHERE s.id = u.id AND s.last_accessed_at < u.at
            $$;

            CREATE POLICY functions_of_the_owner ON sessions TO openhands_owner USING (true) WITH CHECK (true);
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            DROP POLICY functions_of_the_owner ON sessions;
            DROP FUNCTION note_session_accesses(text[], timestamptz[]);
            """);
    }
}
