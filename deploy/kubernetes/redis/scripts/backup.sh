#!/bin/sh
# Takes a snapshot of the first server that answers into a file that is complete or not there, and keeps it for BACKUP_DAYS.
. "$(dirname "$0")/members.sh"

: "${BACKUP_DIRECTORY:?}" "${BACKUP_DAYS:=14}"
umask 077
file="$BACKUP_DIRECTORY/redis-$(date -u +%Y%m%dT%H%M%SZ).rdb"
rm -f "$BACKUP_DIRECTORY"/*.part
for member in $(each "$REDIS_MEMBERS"); do
    [ "$(ask "$member" ping || true)" = PONG ] || continue
    "$(program redis-cli)" -h "${member%:*}" -p "${member##*:}" --rdb "$file.part" >&2
    mv "$file.part" "$file"
    find "$BACKUP_DIRECTORY" -name 'redis-*.rdb' -mtime "+$BACKUP_DAYS" -delete
    echo "$file: $(wc -c <"$file") bytes"
    exit 0
done
fail "no server answers."
