using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class KeyRotation : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "key_id",
                table: "user_settings",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "encryption_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    first_used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_encryption_keys", x => x.id);
                    table.CheckConstraint("ck_encryption_keys_id", "id ~ '^[0-9a-f]{16}$'");
                });

            migrationBuilder.CreateIndex(
                name: "ix_user_settings_key_id",
                table: "user_settings",
                column: "key_id");

            migrationBuilder.CreateIndex(
                name: "ix_secrets_key_id_id",
                table: "secrets",
                columns: new[] { "key_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_secret_versions_key_id_secret_id_version",
                table: "secret_versions",
                columns: new[] { "key_id", "secret_id", "version" });

            // Keys in use before this release. The owner, too, is under row-level security, and has no tenant here.
            migrationBuilder.Sql(
                """
                ALTER TABLE secrets NO FORCE ROW LEVEL SECURITY;
                ALTER TABLE secret_versions NO FORCE ROW LEVEL SECURITY;
                INSERT INTO encryption_keys (id, first_used_at)
                    SELECT key_id, now() FROM secrets UNION SELECT key_id, now() FROM secret_versions;
                ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
                ALTER TABLE secret_versions FORCE ROW LEVEL SECURITY;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "encryption_keys");

            migrationBuilder.DropIndex(
                name: "ix_user_settings_key_id",
                table: "user_settings");

            migrationBuilder.DropIndex(
                name: "ix_secrets_key_id_id",
                table: "secrets");

            migrationBuilder.DropIndex(
                name: "ix_secret_versions_key_id_secret_id_version",
                table: "secret_versions");

            migrationBuilder.DropColumn(
                name: "key_id",
                table: "user_settings");
        }
    }
}
