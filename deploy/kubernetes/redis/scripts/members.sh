# What the scripts of a Redis member know: who the members are, and how to ask them.
#
# REDIS_MEMBERS     servers in the order of their ordinals: host:port,host:port,…
# REDIS_SENTINELS   their Sentinels likewise
# REDIS_ORDINAL     which of them this is; else the number at the end of the host's name
# REDIS_PASSWORD    of servers and Sentinels
# REDIS_SERVICE     what Sentinel calls the master; openhands
# REDIS_DATA        the volume: data, and what Sentinel remembers
# REDIS_RUN         directory for what is written anew at every start
# REDIS_BIN         directory of the programs; empty: on PATH

set -eu

name=${HOSTNAME:-}
ordinal=${REDIS_ORDINAL:-${name##*-}}
service=${REDIS_SERVICE:-openhands}
memory=$REDIS_DATA/sentinel.conf
export REDISCLI_AUTH="$REDIS_PASSWORD"

program() { echo "${REDIS_BIN:+$REDIS_BIN/}$1"; }
say() { echo "redis $ordinal: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

host_of() { a=$(echo "$1" | cut -d, -f$(($2 + 1))) && echo "${a%:*}"; } # list, ordinal
port_of() { a=$(echo "$1" | cut -d, -f$(($2 + 1))) && echo "${a##*:}"; }
each() { echo "$1" | tr , '\n'; }

# What a server says; fails when it does not answer within 2 s.
ask() { # host:port, command…
    to=$1
    shift
    timeout 2 "$(program redis-cli)" -h "${to%:*}" -p "${to##*:}" "$@" 2>/dev/null
}

case $ordinal in
    '' | *[!0-9]*) ordinal=? && fail "REDIS_ORDINAL is not set, and the host's name ($name) does not end in a number." ;;
esac
# Sentinel writes others back into its file without quotes, and then does not start.
case $REDIS_PASSWORD in
    '' | *[!A-Za-z0-9]*) fail "REDIS_PASSWORD must be letters and digits." ;;
esac
