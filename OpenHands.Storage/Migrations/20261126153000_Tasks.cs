using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OpenHands.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Tasks : Migration
    {
        // Not part of the model: every statement on these tables is written by hand.
        private static readonly string[] Tables = ["tasks", "workers", "queue_rules", "queue_weights", "queue_minutes", "recurring_tasks"];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // json keeps a payload as it was sent; jsonb refuses the escape of NUL.
            migrationBuilder.Sql(
                """
                CREATE TABLE tasks (
                    id text CONSTRAINT pk_tasks PRIMARY KEY,
                    queue text NOT NULL,
                    type text NOT NULL,
                    payload json NOT NULL,
                    organization_id text CONSTRAINT fk_tasks_organizations_organization_id REFERENCES organizations (id) ON DELETE CASCADE,
                    user_id text CONSTRAINT fk_tasks_users_user_id REFERENCES users (id) ON DELETE CASCADE,
                    fairness_key text NOT NULL,
                    priority smallint NOT NULL,
                    status text NOT NULL CONSTRAINT ck_tasks_status CHECK (status IN ('scheduled', 'waiting', 'leased', 'done', 'cancelled', 'dead')),
                    run_at timestamptz NOT NULL,
                    attempt integer NOT NULL DEFAULT 0,
                    max_attempts integer,
                    lost integer NOT NULL DEFAULT 0,
                    lease_number bigint NOT NULL DEFAULT 0,
                    worker_id text,
                    leased_at timestamptz,
                    cancel_requested boolean NOT NULL DEFAULT false,
                    idempotency_key text,
                    producer_id text,
                    retention interval NOT NULL,
                    progress json,
                    result json,
                    reason text,
                    trace_parent text,
                    created_at timestamptz NOT NULL,
                    finished_at timestamptz,
                    expires_at timestamptz,
                    CONSTRAINT ck_tasks_worker CHECK ((status = 'leased') = (worker_id IS NOT NULL)),
                    CONSTRAINT ck_tasks_name CHECK (octet_length(queue) BETWEEN 1 AND 512)
                ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

                -- Each index holds the rows of one state, so that a queue's history does not slow it down.
                CREATE INDEX ix_tasks_waiting ON tasks (queue, fairness_key, priority DESC, run_at, id) WHERE status = 'waiting';
                CREATE INDEX ix_tasks_scheduled ON tasks (queue, run_at) WHERE status = 'scheduled';
                CREATE INDEX ix_tasks_leased ON tasks (queue, fairness_key, worker_id) WHERE status = 'leased';
                CREATE INDEX ix_tasks_dead ON tasks (queue, id) WHERE status = 'dead';
                CREATE INDEX ix_tasks_expires_at ON tasks (expires_at) WHERE expires_at IS NOT NULL;
                CREATE INDEX ix_tasks_organization_id_id ON tasks (organization_id, id) WHERE organization_id IS NOT NULL;
                CREATE INDEX ix_tasks_user_id_id ON tasks (user_id, id) WHERE user_id IS NOT NULL;
                CREATE UNIQUE INDEX ix_tasks_idempotency ON tasks (coalesce(organization_id, user_id, ''), queue, idempotency_key) WHERE idempotency_key IS NOT NULL;

                CREATE TABLE workers (
                    id text CONSTRAINT pk_workers PRIMARY KEY,
                    host text NOT NULL,
                    process_id integer NOT NULL,
                    slots integer NOT NULL,
                    running integer NOT NULL DEFAULT 0,
                    queues text NOT NULL,
                    lock_key integer NOT NULL CONSTRAINT ak_workers_lock_key UNIQUE,
                    started_at timestamptz NOT NULL,
                    last_seen_at timestamptz NOT NULL
                );

                CREATE TABLE queue_rules (
                    queue text CONSTRAINT pk_queue_rules PRIMARY KEY,
                    is_paused boolean NOT NULL DEFAULT false,
                    max_running integer CONSTRAINT ck_queue_rules_max_running CHECK (max_running > 0),
                    max_running_per_tenant integer CONSTRAINT ck_queue_rules_max_running_per_tenant CHECK (max_running_per_tenant > 0)
                );

                CREATE TABLE queue_weights (
                    queue text NOT NULL,
                    fairness_key text NOT NULL,
                    weight integer NOT NULL CONSTRAINT ck_queue_weights_weight CHECK (weight BETWEEN 1 AND 1000),
                    CONSTRAINT pk_queue_weights PRIMARY KEY (queue, fairness_key)
                );

                CREATE TABLE queue_minutes (
                    queue text NOT NULL,
                    minute timestamptz NOT NULL,
                    worker_id text NOT NULL,
                    done bigint NOT NULL,
                    retried bigint NOT NULL,
                    dead bigint NOT NULL,
                    CONSTRAINT pk_queue_minutes PRIMARY KEY (queue, minute, worker_id)
                );
                CREATE INDEX ix_queue_minutes_minute ON queue_minutes (minute);

                CREATE TABLE recurring_tasks (
                    name text CONSTRAINT pk_recurring_tasks PRIMARY KEY,
                    cron text NOT NULL,
                    next_at timestamptz NOT NULL,
                    last_at timestamptz
                );
                """);

            foreach (var table in Tables)
                migrationBuilder.Sql($"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY");

            migrationBuilder.Sql(
                """
                CREATE POLICY own ON tasks
                    USING (user_id = tenant_user() AND (organization_id IS NULL OR organization_id = (SELECT tenant_organization())))
                    WITH CHECK (user_id = tenant_user() AND (organization_id IS NULL OR organization_id = (SELECT tenant_organization())));
                CREATE POLICY kept_by_admin ON tasks
                    USING (organization_id = (SELECT tenant_admin_organization())) WITH CHECK (organization_id = (SELECT tenant_admin_organization()));
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.Sql($"DROP TABLE {string.Join(", ", Tables)}");
    }
}
