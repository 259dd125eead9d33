#!/bin/sh
# Has this standby thrown away and cloned anew at its next start, which it brings about: for one that fell too far behind
# ("requested WAL segment … has already been removed") or went another way ("new timeline … forked off").
. "$(dirname "$0")/members.sh"

[ -f "$PGDATA/standby.signal" ] || fail "it is no standby: only a standby is cloned."
touch "$(dirname "$PGDATA")/clone-again"
kill -INT "$(head -n 1 "$PGDATA/postmaster.pid")"
