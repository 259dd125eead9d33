#!/bin/sh
# Readiness: accepts connections.
. "$(dirname "$0")/members.sh"

exec "$(program pg_isready)" -q -h 127.0.0.1 -p "$(port_of "$ordinal")" -t 3
