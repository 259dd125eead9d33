#!/bin/sh
# Runs one Redis: as what the Sentinels say it is, else what its own one has written down, else the first member is the master.
. "$(dirname "$0")/members.sh"

here="$(host_of "$REDIS_MEMBERS" "$ordinal"):$(port_of "$REDIS_MEMBERS" "$ordinal")"

# Each line: epoch host:port, as a Sentinel says it; the higher the epoch, the later the failover that it comes from.
answers() {
    for sentinel in $(each "$REDIS_SENTINELS"); do
        { ask "$sentinel" sentinel master "$service" || true; } | paste - - |
            awk '{ value[$1] = $2 } value["config-epoch"] != "" { print value["config-epoch"], value["ip"] ":" value["port"]; exit }'
    done
}

# What the Sentinel of this member has written down.
memories() {
    awk -v service="$service" '
        $1 == "sentinel" && $3 == service { if ($2 == "monitor") master = $4 ":" $5; if ($2 == "config-epoch") epoch = $4 }
        END { if (master) print epoch + 0, master }' "$memory" 2>/dev/null || true
}

# One Sentinel alone may have slept through a failover, so most of them are waited for, for a while.
find_master() {
    waited=0
    while
        heard=$(answers)
        [ "$(echo "$heard" | grep -c .)" -le "$(($(each "$REDIS_SENTINELS" | grep -c .) / 2))" ] && [ "$waited" -lt "${REDIS_PATIENCE:-30}" ]
    do
        sleep 1
        waited=$((waited + 1))
    done
    latest=$({ echo "$heard" && memories; } | sort -n | tail -n 1)
    found=${latest#* }
    echo "${found:-$(each "$REDIS_MEMBERS" | head -n 1)}"
}

# A master that comes back empty would have its replicas empty themselves: the Sentinels are left to choose one of them.
wait_until_not_empty_master() {
    [ ! -d "$REDIS_DATA/appendonlydir" ] || return 0
    while [ "$(find_master)" = "$here" ]; do
        keys=''
        for member in $(each "$REDIS_MEMBERS"); do
            [ "$member" = "$here" ] || keys="$keys $(ask "$member" dbsize | tr -dc 0-9 || true)"
        done
        case $keys in
            *[1-9]*) say "its volume is empty and others hold data: waiting for the Sentinels to choose another master" ;;
            *) return 0 ;;
        esac
        sleep 1
    done
}

mkdir -p "$REDIS_RUN"
# The first process of a container ignores what it does not ask for.
trap 'exit 0' TERM INT
wait_until_not_empty_master
master=$(find_master)
umask 077
cat >"$REDIS_RUN/redis.conf" <<CONF
port ${here##*:}
bind ${REDIS_LISTEN:-* -::*}
protected-mode no
dir $REDIS_DATA
requirepass $REDIS_PASSWORD
masterauth $REDIS_PASSWORD
replica-announce-ip ${here%:*}
replica-announce-port ${here##*:}
appendonly yes
appendfsync everysec
maxmemory ${REDIS_MAXMEMORY:-0}
maxmemory-policy noeviction
# A master that is cut off from its replicas takes no writes which a failover would throw away.
min-replicas-to-write ${REDIS_MIN_REPLICAS:-1}
min-replicas-max-lag 10
repl-diskless-sync-delay 0
CONF
if [ "$master" = "$here" ]; then
    say "starting as master"
else
    say "starting as replica of $master"
    echo "replicaof ${master%:*} ${master##*:}" >>"$REDIS_RUN/redis.conf"
fi
exec "$(program redis-server)" "$REDIS_RUN/redis.conf"
