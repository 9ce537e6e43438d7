#!/usr/bin/env bash
# Brings a new version into service on the Swarm without losing a request. Run it on a manager.
#
#   deploy/deploy-swarm.sh [--dry-run] [--anyway] IMAGE   migrate, replace api and web replica by replica
#   deploy/deploy-swarm.sh [--dry-run] --back             the same with the image before this one
#
# It does not start while a critical alert fires or an error budget is spent; --anyway and --back do.
# First the canary: one new replica of api and of web beside the others, for CANARY_SECONDS (40). It
# goes at the ERROR_LIMIT (3) th 5xx, or if it does worse than the others; --back goes without.
# A new replica gets requests when it is healthy, the old one goes after that; where a new one does
# not get healthy Swarm puts the old ones back, and so does this script with the other service, also
# at the third 5xx until WATCH_SECONDS (15) after the last replica is new.
# Old and new run side by side on one database: a migration only adds.
#
# Settings: CHAT_IMAGE, SITE, DATABASE_ADDRESS, SECRETS_VERSION as in stack.yml; STACK (minitwit);
# STACK_FILES (stack.yml), more of them separated by spaces; GRAFANA_URL (https://grafana.SITE) and
# GRAFANA_PASSWORD_FILE (.secrets/grafana/grafana_password) for alerts, budgets, silences and notes,
# ASK_SECONDS (5) for an answer of theirs; PATIENCE (300) seconds. PLAIN_API=0.0.0.0 opens port 5001 in
# plain HTTP, for a simulator that runs elsewhere; PLAIN_WEB likewise 5000.
set -euo pipefail
unset CDPATH # of a shell: cd would go elsewhere
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
GRAFANA_URL=${GRAFANA_URL:-${SITE:+https://grafana.$SITE}}
# shellcheck source=deploy/steps/common.sh
. "$here/steps/common.sh"
# shellcheck source=deploy/steps/monitoring-gates.sh
. "$here/steps/monitoring-gates.sh"
# shellcheck source=deploy/steps/canary-swarm.sh
. "$here/steps/canary-swarm.sh"
STACK=${STACK:-minitwit}
CANARY_SECONDS=${CANARY_SECONDS:-40} WATCH_SECONDS=${WATCH_SECONDS:-15}
ROLLING="api web"
USAGE="usage: deploy/deploy-swarm.sh [--dry-run] [--anyway] IMAGE | --back"

grafana_password() { cat "${GRAFANA_PASSWORD_FILE:-.secrets/grafana/grafana_password}" 2>/dev/null; }
inspect() { docker service inspect --format "$2" "${STACK}_$1" 2>/dev/null; }
image_of() { inspect "$1" '{{.Spec.TaskTemplate.ContainerSpec.Image}}'; }
update_of() { inspect "$1" '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'; }

parse_options "$@"
IMAGE=$image
take_lock
before=$(image_of api) || before=
[ -z "$back" ] || IMAGE=$(inspect api '{{.PreviousSpec.TaskTemplate.ContainerSpec.Image}}')
[ -n "$IMAGE" ] || fail "$USAGE"
export IMAGE
stack_files=${STACK_FILES:-stack.yml}
for name in WEB API; do # a port of a node has no address of its own: it is open or it is not
    address=PLAIN_$name
    is_public "${!address:-}" || continue
    stack_files+=" deploy/stack.plain-${name,,}.yml"
    say "WARNING: $address opens plain HTTP: passwords cross the network in plain text"
done

# The migration as a job of its own; it ends before any replica is replaced.
migrate() {
    local name=${STACK}_migrate_once state tries
    docker service rm "$name" >/dev/null 2>&1 || true
    docker service create --detach --quiet --name "$name" --mode replicated-job \
        --restart-condition on-failure --restart-max-attempts 3 --no-healthcheck \
        --with-registry-auth --network "${STACK}_default" \
        --constraint node.labels.app==true --read-only --cap-drop ALL \
        --env DATABASE_URL_FILE=/run/secrets/owner_url \
        --secret "source=minitwit_owner_url_${SECRETS_VERSION:-1},target=owner_url" \
        --env DATABASE_ROLES_FILE=/run/secrets/database_roles \
        --secret "source=minitwit_database_roles_${SECRETS_VERSION:-1},target=database_roles" \
        --secret "source=minitwit_database_ca_${SECRETS_VERSION:-1},target=database_ca" \
        "$IMAGE" app migrate >/dev/null || return 1
    for ((tries = 0; tries < 60; tries++)); do
        state=$(docker service ps --format '{{.CurrentState}}' "$name" | sed -n 1p)
        case $state in
        Complete*) docker service rm "$name" >/dev/null && return ;;
        Failed* | Rejected*) break ;;
        esac
        sleep 1
    done
    docker service logs --raw --tail 5 "$name" >&2 || true
    docker service rm "$name" >/dev/null
    say "the migration ended as: $state"
    return 1
}

roll_out() {
    local files=() file configs
    for file in $stack_files; do files+=(--compose-file "$file"); done
    configs=$(mktemp)
    "$here/swarm-configs.sh" >"$configs"
    docker stack deploy --detach=true --with-registry-auth --prune \
        --resolve-image "${RESOLVE_IMAGE:-always}" "${files[@]}" --compose-file "$configs" "$STACK" >&2
    rm -f "$configs"
}

# How many replicas of a service run the new image and are healthy.
running() {
    docker service ps --filter desired-state=running --format '{{.Image}} {{.CurrentState}}' \
        "${STACK}_$1" | grep -c "^${IMAGE%@*}[^ ]* Running" || true
}

# One word on a service: good, bad, or pending.
state_of() {
    local update wanted
    update=$(update_of "$1")
    case $update in
    rollback_* | paused) echo bad ;;
    updating) echo pending ;;
    *)
        wanted=$(inspect "$1" '{{.Spec.Mode.Replicated.Replicas}}')
        if [ "$(running "$1")" = "$wanted" ]; then echo good; else echo pending; fi
        ;;
    esac
}

# The replicas of api and web that were not there when the deploy began.
fresh() {
    # shellcheck disable=SC2086  # a list
    comm -13 <(tr '|' '\n' <<<"$serving" | sort) <(instances $ROLLING | tr '|' '\n' | sort) |
        paste -sd'|'
}

settle() {
    local service end=$((SECONDS + ${PATIENCE:-300})) heard=$SECONDS
    for service in $ROLLING; do
        while :; do
            case $(state_of "$service") in
            good) say "  $service is good" && break ;;
            bad) say "  $service went back" && return 1 ;;
            esac
            [ -z "$serving" ] || few_errors "$(fresh)" || return 1
            [ $SECONDS -lt $end ] || { say "  $service is not done in time" && return 1; }
            sleep 1
        done
    done
    [ -z "$serving" ] || watch_errors "$(fresh)" "$WATCH_SECONDS"
}

# Swarm has put back what failed; the other service follows.
undo() {
    local service status=$?
    trap - EXIT
    set +e # each of these is done, whatever becomes of the others
    [ -z "$begun" ] || [ $status -eq 0 ] || end_canary
    silence_end
    [ $status -ne 0 ] || exit 0
    for service in ${rolled:+$ROLLING}; do
        while [ "$(update_of "$service")" = rollback_started ]; do
            sleep 1
        done
        if [ -n "$before" ] && [ "$(image_of "$service")" != "$before" ]; then
            docker service rollback --detach=false --quiet "${STACK}_$service" >&2 || true
        fi
    done
    annotate "deploy of $IMAGE failed, ${before:-nothing} stays" failed
    fail "FAILED: $IMAGE is not in service, ${before:-nothing} is"
}

if [ -n "$DRY" ]; then
    [ -z "$before" ] || say "would migrate with $IMAGE, then replace $before"
    configs=$("$here/swarm-configs.sh") # what would be deployed must at least parse
    files=()
    for file in $stack_files; do files+=(--compose-file "$file"); done
    docker stack config "${files[@]}" --compose-file - <<<"$configs" >/dev/null
    say "would deploy $(grep -c 'file:' <<<"$configs") configuration files and $IMAGE to the stack $STACK"
    exit 0
fi
# The first deploy brings the monitoring that could be asked.
[ -z "$before" ] || may_start "$anyway"
annotate "deploy of $IMAGE begins (${before:-nothing} until now)" started
begun='' rolled='' serving=''
trap undo EXIT
trap 'exit 130' INT TERM HUP
if [ -n "$before" ]; then
    silence_all_but "" "$IMAGE" # every replica is replaced; that none is left pages as ever
    # shellcheck disable=SC2086  # a list
    serving=$(instances $ROLLING)
    say "1 migrate with $IMAGE"
    migrate || exit 1
fi
if [ -z "$before" ] || [ -n "$back" ]; then
    say "2 without a canary: every replica is replaced"
elif ! has_canary; then
    say "2 without a canary: the stack that runs has none yet"
else
    say "2 one replica of $IMAGE beside the others for $CANARY_SECONDS s"
    begun=1
    canary "$serving" || exit 1
fi
say "3 replace what runs"
rolled=1
roll_out # stack.yml has no replica of the canary: this ends it
say "4 wait until every replica is new and healthy, and watch for $WATCH_SECONDS s"
settle || exit 1
annotate "$IMAGE is in service" "done"
say "DONE: $IMAGE is in service"
