#!/usr/bin/env bash
# Brings a new version into service on one host without losing a request.
#
#   deploy/deploy-compose.sh [--dry-run] IMAGE     the idle pair gets IMAGE, and nginx switches to it
#   deploy/deploy-compose.sh [--dry-run] --back    the same with the version before this one
#
# Order: migrate, start the idle pair, ask it, switch nginx, watch, stop the old pair. Whatever
# fails is undone, and the exit status is 1. Old and new run side by side on one database: a
# migration only adds; what is no longer used is removed by a later version.
#
# Settings: WATCH_SECONDS (15) after the switch, in which at most ERROR_LIMIT (5) answers may be
# 5xx; GATE_ROUNDS (5); STATE (.deploy); GRAFANA_URL; DRIVER (deploy/drivers/compose.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
# shellcheck source=deploy/lib.sh
. "$here/lib.sh"
# shellcheck source=deploy/drivers/compose.sh
. "${DRIVER:-$here/drivers/compose.sh}"

# What the new pair is asked GATE_ROUNDS times over: service, method, path, and the statuses that
# are right. The last one writes: an attempt to log in is counted, whoever it is.
gate_table() {
    cat <<'EOF'
api GET /readyz 200
api GET /latest 200
api GET /api/openapi.json 200
web GET /readyz 200
web GET /public 200
web GET /login 200
api POST /api/sessions 401|429
EOF
}

back=
image=
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) DRY=1 ;;
    --back) back=1 ;;
    -*) fail "usage: deploy/deploy-compose.sh [--dry-run] IMAGE | --back" ;;
    *) image=$1 ;;
    esac
    shift
done
lock
from=$(active)
to=green
[ "$from" = blue ] || to=blue
[ -z "$back" ] || image=$(image_of "$to")
[ -n "$image" ] || fail "usage: deploy/deploy-compose.sh [--dry-run] IMAGE | --back"

gate() {
    local round service method path right status
    for ((round = 1; round <= ${GATE_ROUNDS:-5}; round++)); do
        while read -r service method path right; do
            status=$(ask "$to" "$service" "$path" "$method" </dev/null) || status=none
            if ! [[ $status =~ ^($right)$ ]]; then
                say "$to: $method $path of $service answers $status, not $right"
                return 1
            fi
        done < <(gate_table)
    done
}

watch() {
    local before now end=$((SECONDS + ${WATCH_SECONDS:-15}))
    before=$(errors)
    while [ $SECONDS -lt $end ]; do
        sleep 0.2
        now=$(errors)
        if [ $((now - before)) -gt "${ERROR_LIMIT:-5}" ]; then
            say "$((now - before)) answers with a 5xx since the switch"
            return 1
        fi
    done
}

attempt() {
    say "1 migrate with $image" && run migrate "$image" >&2 &&
        say "2 start $to" && run start "$to" "$image" >&2 &&
        say "3 ask $to" && { [ -n "$DRY" ] || gate; } &&
        say "4 switch from $from to $to" && switched=1 && run switch "$to" >&2 &&
        say "5 watch for ${WATCH_SECONDS:-15} s" && { [ -n "$DRY" ] || watch; }
}

undo() {
    trap - EXIT
    [ -z "$switched" ] || { say "back to $from" && switch "$from" && sleep 2; }
    stop "$to" >&2 || say "$to could not be stopped"
    annotate "deploy of $image failed, $from stays" failed
    fail "FAILED: $image is not in service, $from is"
}

switched=
[ -n "$DRY" ] || trap undo EXIT
annotate "deploy of $image begins ($from to $to)" started
attempt || exit 1
trap - EXIT
say "6 stop $from"
run stop "$from" >&2 || say "$from could not be stopped"
annotate "$image is in service ($to)" "done"
say "DONE: $image is in service ($to)"
