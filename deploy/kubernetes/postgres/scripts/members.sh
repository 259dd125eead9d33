# What every script of a PostgreSQL member knows: who the members are, who is appointed, and how to ask one of them.
#
# POSTGRES_MEMBERS      all members in the order of their ordinals: host:port,host:port,…
# POSTGRES_ORDINAL      which of them this is; else the number at the end of the host's name
# POSTGRES_APPOINTED    file with the ordinal of the member that may take writes; without it the first may
# POSTGRES_PASSWORD     of the superuser; REPLICATION_PASSWORD of the role `replicator`
# POSTGRES_RUN          directory for what is written anew at every start
# PGBIN                 directory of the programs; empty: on PATH
# PGDATA                data; its parent is the volume

set -eu

name=${HOSTNAME:-}
ordinal=${POSTGRES_ORDINAL:-${name##*-}}
members=$(echo "$POSTGRES_MEMBERS" | tr , '\n' | grep -c .)
program() { echo "${PGBIN:+$PGBIN/}$1"; }

say() { echo "member $ordinal: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

# Ordinals of all members but this one.
others() { seq 0 $((members - 1)) | grep -vx "$ordinal" || true; }

address() { echo "$POSTGRES_MEMBERS" | cut -d, -f$(($1 + 1)); }
host_of() { a=$(address "$1") && echo "${a%:*}"; }
port_of() { a=$(address "$1") && echo "${a##*:}"; }

# The ordinal in the file, or nothing when it names no member: a slip of the pen must not stop the primary.
appointed() {
    found=0
    [ ! -e "$POSTGRES_APPOINTED" ] || found=$(tr -d ' \n' <"$POSTGRES_APPOINTED")
    seq 0 $((members - 1)) | grep -x -- "$found" || true
}

# What a member says to a query; fails when it does not answer.
ask() { # ordinal, query
    PGPASSWORD=$REPLICATION_PASSWORD PGCONNECT_TIMEOUT=3 "$(program psql)" -XAtq \
        -h "$(host_of "$1")" -p "$(port_of "$1")" -U replicator -d postgres -c "$2" 2>/dev/null
}

# The same of this member, as superuser.
ask_here() { # query
    PGPASSWORD=$POSTGRES_PASSWORD PGCONNECT_TIMEOUT=3 "$(program psql)" -XAtq \
        -h 127.0.0.1 -p "$(port_of "$ordinal")" -U postgres -d postgres -c "$1"
}

case $ordinal in
    '' | *[!0-9]*) ordinal=? && fail "POSTGRES_ORDINAL is not set, and the host's name ($name) does not end in a number." ;;
esac
[ "$ordinal" -lt "$members" ] || fail "POSTGRES_MEMBERS has $members members, and this is number $ordinal: add its address there."
