using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class OrganizationSettings : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "organization_settings",
                columns: table => new
                {
                    organization_id = table.Column<string>(type: "text", nullable: false),
                    document = table.Column<string>(type: "jsonb", nullable: false),
                    secrets = table.Column<string>(type: "jsonb", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_organization_settings", x => x.organization_id);
                    table.CheckConstraint("ck_organization_settings_document", "jsonb_typeof(document) = 'object'");
                    table.CheckConstraint("ck_organization_settings_secrets", "jsonb_typeof(secrets) = 'object'");
                    table.ForeignKey(
                        name: "fk_organization_settings_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_organization_settings_key_id",
                table: "organization_settings",
                column: "key_id");

            migrationBuilder.Sql(
                """
                ALTER TABLE organization_settings ENABLE ROW LEVEL SECURITY;
                ALTER TABLE organization_settings FORCE ROW LEVEL SECURITY;
                CREATE POLICY seen_by_members ON organization_settings FOR SELECT USING (organization_id = (SELECT tenant_organization()));
                CREATE POLICY kept_by_admin ON organization_settings
                    USING (organization_id = (SELECT tenant_admin_organization())) WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "organization_settings");
        }
    }
}
