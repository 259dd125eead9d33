#!/bin/sh
# Liveness: fails when the server has gone silent, and when this member takes writes though another one is appointed (it was
# cut off and came back after a failover). A restart then makes it a clone. Cloning and recovering are signs of life.
. "$(dirname "$0")/members.sh"

[ ! -f "$POSTGRES_RUN/starting" ] || exit 0
code=0
"$(program pg_isready)" -q -h 127.0.0.1 -p "$(port_of "$ordinal")" -t 5 || code=$?
[ "$code" -ne 0 ] || [ "$(appointed)" = "$ordinal" ] || [ -z "$(appointed)" ] || [ "$(ask_here 'SELECT pg_is_in_recovery()' || echo t)" = t ] ||
    fail "it takes writes, and appointed is member $(appointed)."
[ "$code" -le 1 ]
