using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Identities : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "data_protection_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    encrypted = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_data_protection_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "user_identities",
                columns: table => new
                {
                    issuer = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_user_identities", x => new { x.issuer, x.subject });
                    table.ForeignKey(
                        name: "fk_user_identities_users_user_id",
                        column: x => x.user_id,
                        principalTable: "users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.SetNull);
                });

            migrationBuilder.CreateIndex(
                name: "ix_data_protection_keys_key_id_id",
                table: "data_protection_keys",
                columns: new[] { "key_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_user_identities_user_id",
                table: "user_identities",
                column: "user_id");

            migrationBuilder.Sql(
                """
                ALTER TABLE user_identities ENABLE ROW LEVEL SECURITY;
                ALTER TABLE user_identities FORCE ROW LEVEL SECURITY;
                CREATE POLICY own ON user_identities FOR SELECT USING (user_id = tenant_user());
                CREATE POLICY functions_of_the_owner ON user_identities TO openhands_owner USING (true) WITH CHECK (true);

                -- Before a tenant is known. The user is made once however many requests race; one who was removed stays removed (null).
                -- An address that another user has is not taken over: it would be a way into what is shared by address.
                CREATE FUNCTION sign_in_identity(
                    its_issuer text, its_subject text, its_email text, its_name text, new_user_id text, at timestamptz) RETURNS text
                    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                DECLARE
                    known record;
                BEGIN
                    SELECT i.user_id, u.email, u.display_name INTO known
                    FROM public.user_identities i LEFT JOIN public.users u ON u.id = i.user_id
                    WHERE i.issuer = its_issuer AND i.subject = its_subject;
                    IF NOT FOUND THEN
                        PERFORM pg_advisory_xact_lock(hashtextextended(its_issuer || ' ' || its_subject, 0));
                        SELECT i.user_id, u.email, u.display_name INTO known
                        FROM public.user_identities i LEFT JOIN public.users u ON u.id = i.user_id
                        WHERE i.issuer = its_issuer AND i.subject = its_subject;
                        IF NOT FOUND THEN
                            INSERT INTO public.users (id, created_at, updated_at) VALUES (new_user_id, at, at);
                            INSERT INTO public.user_identities (issuer, subject, user_id, created_at) VALUES (its_issuer, its_subject, new_user_id, at);
                            SELECT new_user_id AS user_id, NULL::text AS email, NULL::text AS display_name INTO known;
                        END IF;
                    END IF;
                    IF known.user_id IS NOT NULL AND (known.email IS DISTINCT FROM its_email OR known.display_name IS DISTINCT FROM its_name) THEN
                        BEGIN
                            UPDATE public.users SET email = its_email, display_name = its_name, updated_at = at WHERE id = known.user_id;
                        EXCEPTION WHEN unique_violation THEN
                            UPDATE public.users SET display_name = its_name, updated_at = at
                            WHERE id = known.user_id AND display_name IS DISTINCT FROM its_name;
                        END;
                    END IF;
                    RETURN known.user_id;
                END
                $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION sign_in_identity(text, text, text, text, text, timestamptz)");

            migrationBuilder.DropTable(
                name: "data_protection_keys");

            migrationBuilder.DropTable(
                name: "user_identities");
        }
    }
}
