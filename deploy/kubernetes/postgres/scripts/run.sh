#!/bin/sh
# Runs one member of the PostgreSQL cluster: as primary when it is appointed and nobody else takes writes, else as a standby,
# which it becomes by cloning the primary. It never promotes itself: that is promote.sh, run by a person.
. "$(dirname "$0")/members.sh"

# Seconds between two looks, and how long an appointed member without data listens for others before it makes a new cluster.
POLL=${POSTGRES_POLL:-2}
LISTEN_FOR_OTHERS=${POSTGRES_LISTEN_FOR_OTHERS:-20}
again="$(dirname "$PGDATA")/clone-again"
# Set where data need not survive the machine, as in tests.
no_sync=${POSTGRES_NO_SYNC:+--no-sync}

has_data() { [ -s "$PGDATA/PG_VERSION" ]; }
is_standby() { [ -f "$PGDATA/standby.signal" ]; }
system_id() { LC_ALL=C "$(program pg_controldata)" "$PGDATA" | sed -n 's/^Database system identifier: *//p'; }

# The ordinal of the other member that takes writes, or nothing.
find_primary() {
    found=''
    for other in $(others); do
        if [ "$(ask "$other" 'SELECT pg_is_in_recovery()' || true)" = f ]; then found="$found $other"; fi
    done
    # shellcheck disable=SC2086
    set -- $found
    [ $# -le 1 ] || fail "members $* both take writes: stop the one that should not (docs/deployment.md, Failover)."
    echo "${1:-}"
}

create() {
    say "making a new cluster"
    rm -rf "$PGDATA.new"
    printf %s "$POSTGRES_PASSWORD" >"$POSTGRES_RUN/superuser"
    # Sorting that does not depend on the machine, with the case rules of more letters than ASCII where it has them.
    locale=$(locale -a 2>/dev/null | grep -ixE 'c\.utf-?8' | head -n 1 || true)
    "$(program initdb)" --pgdata="$PGDATA.new" --username=postgres --pwfile="$POSTGRES_RUN/superuser" \
        --auth=scram-sha-256 --encoding=UTF8 --locale="${locale:-C}" --data-checksums $no_sync >&2
    rm "$POSTGRES_RUN/superuser"
    # Without a server, so that nobody can connect before the role is there, and no commit waits for a standby.
    quoted=$(printf %s "$REPLICATION_PASSWORD" | sed "s/'/''/g")
    printf '%s\n' "CREATE ROLE replicator LOGIN REPLICATION PASSWORD '$quoted'; GRANT pg_monitor TO replicator;" |
        "$(program postgres)" --single -D "$PGDATA.new" postgres >/dev/null
    mv "$PGDATA.new" "$PGDATA"
}

# Nothing is kept beside the clone: a volume has no room for two, and the primary has it all.
clone() { # ordinal
    say "cloning member $1"
    rm -rf "$PGDATA" "$PGDATA.new"
    PGPASSWORD=$REPLICATION_PASSWORD "$(program pg_basebackup)" --pgdata="$PGDATA.new" --host="$(host_of "$1")" --port="$(port_of "$1")" \
        --username=replicator --no-password --wal-method=stream --checkpoint=fast $no_sync >&2
    touch "$PGDATA.new/standby.signal"
    mv "$PGDATA.new" "$PGDATA"
    rm -f "$again"
}

join() { # ordinal of the primary
    if ! has_data; then
        clone "$1"
    elif [ "$(ask "$1" 'SELECT system_identifier FROM pg_control_system()')" != "$(system_id)" ]; then
        fail "its data belongs to another cluster than member $1, which takes writes. If they are not needed, delete this member's volume."
    elif ! is_standby; then
        say "it was the primary, and now member $1 is"
        clone "$1"
    elif [ -f "$again" ]; then
        clone "$1"
    fi
}

# Nobody takes writes, and this member is appointed.
lead() {
    if has_data; then
        is_standby && say "appointed, and still a standby: run promote.sh here to let it take writes"
        return 0
    fi
    waited=0
    while [ "$waited" -lt "$LISTEN_FOR_OTHERS" ]; do
        for other in $(others); do
            ask "$other" 'SELECT 1' >/dev/null || continue
            fail "its volume is empty, and member $other has data. Appoint that one and promote it; this one then clones it."
        done
        sleep 1
        waited=$((waited + 1))
    done
    create
}

settle() {
    told=''
    while :; do
        primary=$(find_primary)
        if [ -n "$primary" ]; then
            join "$primary"
            return
        elif [ "$(appointed)" = "$ordinal" ]; then
            lead
            return
        elif has_data && is_standby; then
            say "no primary answers; serving reads until one does"
            return
        fi
        [ -n "$told" ] || say "waiting for the primary (appointed: $(appointed))"
        told=yes
        sleep "$POLL"
    done
}

# Every member in the order of the list; libpq takes the one that is primary, so a promotion needs no change here.
upstream() {
    hosts='' ports=''
    for member in $(seq 0 $((members - 1))); do
        hosts="$hosts,$(host_of "$member")" ports="$ports,$(port_of "$member")"
    done
    echo "host=${hosts#,} port=${ports#,} user=replicator passfile=$POSTGRES_RUN/pgpass application_name=member_$ordinal" \
        "target_session_attrs=primary connect_timeout=5"
}

# Any other member may answer for a commit; the primary's own name never connects.
synchronous() {
    [ "${POSTGRES_SYNCHRONOUS:-on}" = on ] && [ "$members" -gt 1 ] || return 0
    echo "ANY 1 ($(seq -s, -f 'member_%g' 0 $((members - 1))))"
}

mkdir -p "$POSTGRES_RUN"
touch "$POSTGRES_RUN/starting"
umask 077
# libpq refuses a password file that others can read, as a mounted Secret is.
printf '*:*:*:replicator:%s\n' "$(printf %s "$REPLICATION_PASSWORD" | sed 's/[\\:]/\\&/g')" >"$POSTGRES_RUN/pgpass"
cat >"$POSTGRES_RUN/hba" <<HBA
local all all scram-sha-256
host all all all scram-sha-256
host replication replicator all scram-sha-256
HBA

# The first process of a container ignores what it does not ask for.
trap 'exit 0' TERM INT
settle
rm -f "$POSTGRES_RUN/starting"
exec "$(program postgres)" -D "$PGDATA" \
    -c listen_addresses="${POSTGRES_LISTEN:-*}" \
    -c port="$(port_of "$ordinal")" \
    -c unix_socket_directories="$POSTGRES_RUN" \
    -c hba_file="$POSTGRES_RUN/hba" \
    -c max_connections="${POSTGRES_MAX_CONNECTIONS:-300}" \
    -c shared_buffers="${POSTGRES_SHARED_BUFFERS:-128MB}" \
    -c wal_keep_size="${POSTGRES_WAL_KEEP:-2GB}" \
    -c wal_log_hints=on \
    -c wal_retrieve_retry_interval=1s \
    -c jit=off \
    ${no_sync:+-c fsync=off} \
    -c primary_conninfo="$(upstream)" \
    -c synchronous_standby_names="$(synchronous)"
