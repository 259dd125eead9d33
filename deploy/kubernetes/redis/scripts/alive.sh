#!/bin/sh
# Liveness and readiness of a server or a Sentinel: it answers a PING. `$1` is `server` or `sentinel`.
. "$(dirname "$0")/members.sh"

case ${1:-} in
    server) list=$REDIS_MEMBERS ;;
    sentinel) list=$REDIS_SENTINELS ;;
    *) fail "alive.sh server, or alive.sh sentinel" ;;
esac
# A server that loads its data is alive.
ask "127.0.0.1:$(port_of "$list" "$ordinal")" ping | grep -qE 'PONG|LOADING'
