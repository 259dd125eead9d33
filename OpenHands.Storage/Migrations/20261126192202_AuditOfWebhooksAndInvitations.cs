using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class AuditOfWebhooksAndInvitations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- Arguments: subject, the words for insert, update and delete, and the column that names the target.
                -- A store may set app.audit_note to 'word|detail' to say more precisely what it does.
                CREATE OR REPLACE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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
                        WHEN 'webhooks' THEN
                            -- The rest of the address may hold a token.
                            detail := coalesce(substring(line->>'url' from '^[^:/]+://[^/?#]+'), '') || CASE WHEN (line->>'is_enabled')::boolean THEN '' ELSE ', not enabled' END;
                        WHEN 'invitations' THEN
                            detail := (line->>'role') || coalesce(', for ' || (line->>'email'), '');
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

                CREATE TRIGGER audit_insert AFTER INSERT ON webhooks FOR EACH ROW EXECUTE FUNCTION audit_change('webhook', 'created', 'updated', 'deleted', 'id');
                CREATE TRIGGER audit_delete AFTER DELETE ON webhooks FOR EACH ROW EXECUTE FUNCTION audit_change('webhook', 'created', 'updated', 'deleted', 'id');
                CREATE TRIGGER audit_update AFTER UPDATE ON webhooks FOR EACH ROW WHEN (OLD.version <> NEW.version)
                    EXECUTE FUNCTION audit_change('webhook', 'created', 'updated', 'deleted', 'id');

                -- One that was used or has expired is only swept away.
                CREATE TRIGGER audit_insert AFTER INSERT ON invitations FOR EACH ROW EXECUTE FUNCTION audit_change('invitation', 'created', 'accepted', 'revoked', 'id');
                CREATE TRIGGER audit_delete AFTER DELETE ON invitations FOR EACH ROW WHEN (OLD.accepted_at IS NULL AND OLD.expires_at > clock_timestamp())
                    EXECUTE FUNCTION audit_change('invitation', 'created', 'accepted', 'revoked', 'id');
                CREATE TRIGGER audit_update AFTER UPDATE ON invitations FOR EACH ROW WHEN (OLD.accepted_at IS NULL AND NEW.accepted_at IS NOT NULL)
                    EXECUTE FUNCTION audit_change('invitation', 'created', 'accepted', 'revoked', 'id');
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP TRIGGER audit_insert ON webhooks;
                DROP TRIGGER audit_delete ON webhooks;
                DROP TRIGGER audit_update ON webhooks;
                DROP TRIGGER audit_insert ON invitations;
                DROP TRIGGER audit_delete ON invitations;
                DROP TRIGGER audit_update ON invitations;

                -- Arguments: subject, the words for insert, update and delete, and the column that names the target.
                -- A store may set app.audit_note to 'word|detail' to say more precisely what it does.
                CREATE OR REPLACE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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
                """);
        }
    }
}
