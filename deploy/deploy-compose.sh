#!/usr/bin/env bash
# Brings a new version into service on one host without losing a request.
#
#   deploy/deploy-compose.sh [--dry-run] [--anyway] IMAGE   the idle pair gets IMAGE, nginx switches to it
#   deploy/deploy-compose.sh [--dry-run] --back             the same with the version before this one
#
# Order: ask the alerts and the error budgets, migrate, start the idle pair, act on it as the probe
# user, send it a small share of the traffic and compare, switch nginx, watch, stop the old pair.
# Whatever fails is undone, and the exit status is 1. Old and new run side by side on one database: a
# migration only adds; what is no longer used is removed by a later version.
#
# It does not start while a critical alert fires or an error budget is spent; --anyway and --back do.
#
# Settings: CANARY_PERCENT (5) of the requests for CANARY_SECONDS (20), then WATCH_SECONDS (15) with
# all of them; the ERROR_LIMIT (3) th 5xx takes the new version out. GATE_ROUNDS (2); STATE (.deploy);
# GRAFANA_URL, PROMETHEUS_URL, ALERTMANAGER_URL, ASK_SECONDS (5) for an answer of theirs; DRIVER
# (deploy/drivers/compose.sh).
set -euo pipefail
unset CDPATH # of a shell: cd would go elsewhere
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
# shellcheck source=deploy/steps/common.sh
. "$here/steps/common.sh"
# shellcheck source=deploy/drivers/compose.sh
. "${DRIVER:-$here/drivers/compose.sh}"
# shellcheck source=deploy/steps/monitoring-gates.sh
. "$here/steps/monitoring-gates.sh"
# shellcheck source=deploy/steps/canary-compose.sh
. "$here/steps/canary-compose.sh"

USAGE="usage: deploy/deploy-compose.sh [--dry-run] [--anyway] IMAGE | --back"
parse_options "$@"
take_lock
from=$(active)
to=green
[ "$from" = blue ] || to=blue
[ -z "$back" ] || image=$(image_of "$to")
[ -n "$image" ] || fail "$USAGE"

CANARY_SECONDS=${CANARY_SECONDS:-20} WATCH_SECONDS=${WATCH_SECONDS:-15}

# The new pair, asked as people and as the probe user do; several times, for it may be several replicas.
gate() {
    local round said
    for ((round = 1; round <= ${GATE_ROUNDS:-2}; round++)); do
        said=$(smoke "$to" 2>&1) || { say "$to: $(grep -v '^nobody' <<<"$said" | paste -sd';')"; return 1; }
    done
}

# A small share of the traffic: out at the third 5xx, or if it does worse than the old version.
canary() {
    local fresh
    fresh=$(instances "$to")
    begin_watch $((CANARY_SECONDS + WATCH_SECONDS + 60))
    routed=1
    split "$from" "$to" "${CANARY_PERCENT:-5}" >&2 || return 1
    watch "$fresh" "$CANARY_SECONDS" || return 1
    ! is_worse "$(instances "$from")" "$fresh" "$CANARY_SECONDS"
}

take_over() {
    local fresh
    fresh=$(instances "$to")
    switch "$to" >&2 || return 1
    silence_all_but "$fresh" "$image"
    watch "$fresh" "$WATCH_SECONDS"
}

attempt() {
    say "1 ask the alerts and the error budgets" && { [ -n "$DRY" ] || may_start "$anyway"; } &&
        noted=1 && annotate "deploy of $image begins ($from to $to)" started &&
        say "2 migrate with $image" && run migrate "$image" >&2 &&
        say "3 start $to" && { [ -n "$DRY" ] || silence_all_but "$(instances "$from")" "$image"; } &&
        begun=1 && run start "$to" "$image" >&2 &&
        say "4 register, log in and post at $to" && { [ -n "$DRY" ] || gate; } &&
        say "5 send ${CANARY_PERCENT:-5} % of the requests to $to for $CANARY_SECONDS s" && { [ -n "$DRY" ] || canary; } &&
        say "6 switch from $from to $to, and watch for $WATCH_SECONDS s" && run take_over
}

# Whatever happens: the silence ends, and the log is no longer followed.
finish() {
    local status=$?
    trap - EXIT
    set +e # each of these is done, whatever becomes of the others
    end_watch
    if [ $status -ne 0 ] && [ -n "$noted" ]; then
        [ -z "$routed" ] || { say "back to $from" && switch "$from" >&2 && sleep 2; }
        [ -z "$begun" ] || stop "$to" >&2 || say "$to could not be stopped"
        annotate "deploy of $image failed, $from stays" failed
        say "FAILED: $image is not in service, $from is"
    fi
    silence_end
    exit "$((status != 0))"
}

noted='' begun='' routed=''
[ -n "$DRY" ] || trap finish EXIT
trap 'exit 130' INT TERM HUP
attempt || exit 1
say "7 stop $from"
run stop "$from" >&2 || say "$from could not be stopped"
annotate "$image is in service ($to)" "done"
say "DONE: $image is in service ($to)"
