#!/bin/sh
# Lets this standby take writes: the documented step of a failover, run by a person once the old primary is down.
# Refuses while anybody else takes writes or holds more than this member. `--force` goes on where a member cannot be asked.
. "$(dirname "$0")/members.sh"

force=${1:-}
case $force in
    '' | --force) ;;
    *) fail "promote.sh knows --force only, not '$force'." ;;
esac

[ "$(appointed)" = "$ordinal" ] || fail "appointed is member $(appointed). Appoint this one first, so that the old primary cannot come back as one: deploy.sh appoint $ordinal (a pod sees it within a minute or two)."
if [ "$(ask_here 'SELECT pg_is_in_recovery()')" = f ]; then
    say "it takes writes already"
    exit 0
fi

position='(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '"'0/0'"')::bigint'
here=$(ask_here "SELECT $position")
heard=1
for other in $(others); do
    answer=$(ask "$other" "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN $position END, EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')" || true)
    [ -n "$answer" ] || continue
    in_recovery=${answer%%|*} rest=${answer#*|}
    there=${rest%%|*} streaming=${rest##*|}
    [ "$in_recovery" = t ] || fail "member $other takes writes: make sure that it is down first."
    [ "$streaming" = f ] || fail "member $other still receives from a primary: make sure that it is down first."
    [ "$there" -le "$here" ] || fail "member $other holds $((there - here)) bytes more: appoint and promote that one instead."
    heard=$((heard + 1))
done
# One member is the primary that is down. Each other one may be the standby that answered for the last commit.
if [ "$heard" -lt $((members - 1)) ] && [ "$force" != --force ]; then
    fail "only $heard of $((members - 1)) standbys answer, and another may hold acknowledged writes that are not here. Bring it back, or accept their loss with --force."
fi

[ "$(ask_here 'SELECT pg_promote(true, 60)')" = t ] || fail "it did not become primary within a minute; its log says why."
say "it takes writes now; the other standbys follow, and the old primary clones it when it comes back"
