#!/bin/sh
# Runs one Sentinel. It keeps what it has learned on the volume, so that a restart of everything finds the last master.
. "$(dirname "$0")/members.sh"

mkdir -p "$REDIS_DATA"
umask 077
if [ ! -s "$memory" ]; then
    first=$(each "$REDIS_MEMBERS" | head -n 1)
    cat >"$memory" <<CONF
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor $service ${first%:*} ${first##*:} ${SENTINEL_QUORUM:-2}
sentinel down-after-milliseconds $service ${SENTINEL_DOWN_AFTER:-5000}
sentinel failover-timeout $service ${SENTINEL_FAILOVER_TIMEOUT:-30000}
sentinel parallel-syncs $service 1
CONF
fi

# Address and password may have changed since.
sed -i -E -e '/^(requirepass|port|bind|protected-mode|dir) /d' -e '/^sentinel (sentinel-pass|auth-pass|announce-ip|announce-port) /d' "$memory"
cat >>"$memory" <<CONF
port $(port_of "$REDIS_SENTINELS" "$ordinal")
bind ${REDIS_LISTEN:-* -::*}
protected-mode no
dir $REDIS_DATA
requirepass $REDIS_PASSWORD
sentinel sentinel-pass $REDIS_PASSWORD
sentinel auth-pass $service $REDIS_PASSWORD
sentinel announce-ip $(host_of "$REDIS_SENTINELS" "$ordinal")
sentinel announce-port $(port_of "$REDIS_SENTINELS" "$ordinal")
CONF
exec "$(program redis-server)" "$memory" --sentinel
