using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Invitations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "idempotency_records",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: false),
                    organization_id = table.Column<string>(type: "text", nullable: true),
                    route = table.Column<string>(type: "text", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    fingerprint = table.Column<byte[]>(type: "bytea", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false),
                    location = table.Column<string>(type: "text", nullable: true),
                    entity_tag = table.Column<string>(type: "text", nullable: true),
                    body = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_idempotency_records", x => x.id);
                    table.CheckConstraint("ck_idempotency_records_fingerprint", "octet_length(fingerprint) = 32");
                    table.CheckConstraint("ck_idempotency_records_key", "length(key) BETWEEN 1 AND 255");
                    table.ForeignKey(
                        name: "fk_idempotency_records_organization_memberships_organization_i",
                        columns: x => new { x.organization_id, x.user_id },
                        principalTable: "organization_memberships",
                        principalColumns: new[] { "organization_id", "user_id" },
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_idempotency_records_users_user_id",
                        column: x => x.user_id,
                        principalTable: "users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "invitations",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    organization_id = table.Column<string>(type: "text", nullable: false),
                    invited_by = table.Column<string>(type: "text", nullable: false),
                    email = table.Column<string>(type: "text", nullable: true),
                    role = table.Column<string>(type: "text", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    mail = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    accepted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_invitations", x => x.id);
                    table.CheckConstraint("ck_invitations_hash", "octet_length(hash) = 32");
                    table.CheckConstraint("ck_invitations_mail", "mail IN ('none', 'queued', 'sent', 'failed')");
                    table.CheckConstraint("ck_invitations_role", "role IN ('admin', 'member')");
                    table.ForeignKey(
                        name: "fk_invitations_organization_memberships_organization_id_invite",
                        columns: x => new { x.organization_id, x.invited_by },
                        principalTable: "organization_memberships",
                        principalColumns: new[] { "organization_id", "user_id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_sessions_expires_at",
                table: "sessions",
                column: "expires_at",
                filter: "expires_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_records_created_at",
                table: "idempotency_records",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_records_organization_id_user_id",
                table: "idempotency_records",
                columns: new[] { "organization_id", "user_id" });

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_records_user_id_organization_id_route_key",
                table: "idempotency_records",
                columns: new[] { "user_id", "organization_id", "route", "key" },
                unique: true)
                .Annotation("Npgsql:NullsDistinct", false);

            migrationBuilder.CreateIndex(
                name: "ix_invitations_expires_at",
                table: "invitations",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "ix_invitations_hash",
                table: "invitations",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_invitations_organization_id_id",
                table: "invitations",
                columns: new[] { "organization_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_invitations_organization_id_invited_by",
                table: "invitations",
                columns: new[] { "organization_id", "invited_by" });

            migrationBuilder.Sql(
                """
                ALTER TABLE idempotency_records ENABLE ROW LEVEL SECURITY;
                ALTER TABLE idempotency_records FORCE ROW LEVEL SECURITY;
                CREATE POLICY own ON idempotency_records
                    USING (user_id = tenant_user() AND (organization_id IS NULL OR organization_id = (SELECT tenant_organization())))
                    WITH CHECK (user_id = tenant_user() AND (organization_id IS NULL OR organization_id = (SELECT tenant_organization())));

                ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
                ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
                CREATE POLICY kept_by_admin ON invitations
                    USING (organization_id = (SELECT tenant_admin_organization()))
                    WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                CREATE POLICY functions_of_the_owner ON invitations TO openhands_owner USING (true) WITH CHECK (true);

                -- For who is no member yet: whoever presents the hash of a token has the token. The row lock lets one of many join.
                CREATE FUNCTION use_invitation(wanted bytea, accept boolean, at timestamptz)
                    RETURNS TABLE (outcome text, organization_id text, organization_name text, role text, email text, expires_at timestamptz)
                    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                #variable_conflict use_column
                DECLARE
                    me text := public.tenant_user();
                    invitation record;
                BEGIN
                    SELECT i.id, i.organization_id, o.name, i.role, i.email, i.expires_at, i.accepted_at INTO invitation
                    FROM public.invitations i JOIN public.organizations o ON o.id = i.organization_id WHERE i.hash = wanted FOR UPDATE OF i;
                    outcome := CASE
                        WHEN invitation.id IS NULL OR me IS NULL THEN 'none'
                        WHEN EXISTS (
                            SELECT FROM public.organization_memberships m
                            WHERE m.organization_id = invitation.organization_id AND m.user_id = me) THEN 'member'
                        WHEN invitation.accepted_at IS NOT NULL THEN 'used'
                        WHEN invitation.expires_at <= at THEN 'expired'
                        WHEN invitation.email IS NOT NULL AND NOT EXISTS (
                            SELECT FROM public.users u WHERE u.id = me AND u.email = invitation.email) THEN 'address'
                        ELSE 'done' END;
                    IF outcome = 'done' AND accept THEN
                        INSERT INTO public.organization_memberships (organization_id, user_id, role, version, created_at, updated_at)
                        VALUES (invitation.organization_id, me, invitation.role, 1, at, at) ON CONFLICT DO NOTHING;
                        IF FOUND THEN
                            UPDATE public.invitations i SET accepted_at = at WHERE i.id = invitation.id;
                        ELSE
                            outcome := 'member'; -- added by an admin in this moment
                        END IF;
                    END IF;
                    IF outcome = 'done' THEN
                        organization_id := invitation.organization_id;
                        organization_name := invitation.name;
                        role := invitation.role;
                        email := invitation.email;
                        expires_at := invitation.expires_at;
                    END IF;
                    RETURN NEXT;
                END
                $$;

                -- The user with all that is theirs, and the organizations that nobody else is in.
                CREATE FUNCTION remove_user() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $$
                DECLARE
                    me text := public.tenant_user();
                BEGIN
                    -- Who joins meanwhile waits, and is then seen by the next statement or finds the organization gone.
                    PERFORM FROM public.organizations o
                    WHERE o.id IN (SELECT m.organization_id FROM public.organization_memberships m WHERE m.user_id = me) ORDER BY o.id FOR UPDATE;
                    DELETE FROM public.organizations o
                    WHERE o.id IN (SELECT m.organization_id FROM public.organization_memberships m WHERE m.user_id = me)
                      AND NOT EXISTS (SELECT FROM public.organization_memberships m WHERE m.organization_id = o.id AND m.user_id <> me);
                    DELETE FROM public.users u WHERE u.id = me;
                END
                $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION remove_user(); DROP FUNCTION use_invitation(bytea, boolean, timestamptz)");

            migrationBuilder.DropTable(
                name: "idempotency_records");

            migrationBuilder.DropTable(
                name: "invitations");

            migrationBuilder.DropIndex(
                name: "ix_sessions_expires_at",
                table: "sessions");
        }
    }
}
