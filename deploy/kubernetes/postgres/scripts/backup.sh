#!/bin/sh
# Dumps the database into a file that is complete and readable or not there, and removes those older than BACKUP_DAYS.
# PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE say which; PGHOST may name several servers, of which a standby is preferred.
set -eu

: "${BACKUP_DIRECTORY:?}" "${BACKUP_DAYS:=14}"
program() { echo "${PGBIN:+$PGBIN/}$1"; }
export PGTARGETSESSIONATTRS=prefer-standby PGCONNECT_TIMEOUT=10

file="$BACKUP_DIRECTORY/$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
umask 077
rm -f "$BACKUP_DIRECTORY"/*.part
"$(program pg_dump)" --format=custom --file="$file.part"
"$(program pg_restore)" --list "$file.part" >/dev/null
mv "$file.part" "$file"
find "$BACKUP_DIRECTORY" -name "$PGDATABASE-*.dump" -mtime "+$BACKUP_DAYS" -delete
echo "$file: $(wc -c <"$file") bytes"
