#!/bin/sh
# Runs PgBouncer for the PostgreSQL in the same pod. Passwords come from the environment and are kept in memory only.
set -eu

: "${POSTGRES_APP_PASSWORD:?}" "${PGBOUNCER_RUN:?}" "${PGBOUNCER_POOL:=100}"
umask 077
quote() { printf %s "$1" | sed 's/"/""/g'; }
printf '"openhands_app" "%s"\n' "$(quote "$POSTGRES_APP_PASSWORD")" >"$PGBOUNCER_RUN/users"
cat >"$PGBOUNCER_RUN/pgbouncer.ini" <<INI
[databases]
openhands = host=127.0.0.1 port=${PGBOUNCER_SERVER_PORT:-5432}

[pgbouncer]
listen_addr = ${PGBOUNCER_LISTEN:-*}
listen_port = ${PGBOUNCER_PORT:-6432}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $PGBOUNCER_RUN/users
pool_mode = transaction
default_pool_size = $PGBOUNCER_POOL
max_client_conn = 5000
; Statements that the driver prepares are kept apart per client (since 1.21).
max_prepared_statements = 200
; What Npgsql says at the start of a session.
ignore_startup_parameters = extra_float_digits
server_lifetime = 600
INI
exec pgbouncer "$PGBOUNCER_RUN/pgbouncer.ini"
