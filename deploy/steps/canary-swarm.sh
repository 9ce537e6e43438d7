# shellcheck shell=bash
# The canary in a Swarm: one replica more of api and of web, of the new image, beside those that serve.
# stack.yml has both as services without a replica; their names in the network are tasks.api and
# tasks.web too, so that nginx sends them their share and Prometheus scrapes them.

CANARIES="api-canary web-canary"
LONGEST_SILENCE=15 # seconds without an answer of Prometheus, after which nothing is watched

has_canary() { inspect api-canary '{{.ID}}' >/dev/null && inspect web-canary '{{.ID}}' >/dev/null; }

_scale_canary() { # REPLICAS [OPTION...]
    local service
    for service in $CANARIES; do
        docker service update --detach --quiet --replicas "$1" "${@:2}" "${STACK}_$service" \
            >/dev/null || return 1
    done
}

# Return when both are healthy; 1 if that takes too long.
start_canary() {
    local service end=$((SECONDS + ${START_SECONDS:-90})) options=(--with-registry-auth)
    [ "${RESOLVE_IMAGE:-always}" != never ] || options+=(--no-resolve-image)
    _scale_canary 1 --image "$IMAGE" "${options[@]}" || return 1
    for service in $CANARIES; do
        until [ "$(running "$service")" = 1 ]; do
            [ $SECONDS -lt $end ] || { say "  $service does not get healthy"; return 1; }
            sleep 1
        done
    done
}

# Take it out: its replicas serve what they have begun.
end_canary() {
    _scale_canary 0 ||
        say "not ended: docker service scale ${STACK}_api-canary=0 ${STACK}_web-canary=0"
}

# The running replicas of services as Prometheus names them: a regular expression.
instances() { # SERVICE...
    local service port found=()
    for service in "$@"; do
        port=5001
        [ "${service%-canary}" = api ] || port=5000
        mapfile -t -O ${#found[@]} found < <(docker service ps --quiet --no-trunc \
            --filter desired-state=running "${STACK}_$service" | xargs -r docker inspect --type task \
            --format '{{range .NetworksAttachments}}{{range .Addresses}}{{println .}}{{end}}{{end}}' |
            sed -n "s|/.*|:$port|p")
    done
    (IFS='|' && echo "${found[*]}")
}

# few_errors INSTANCES: 1 if ERROR_LIMIT answers of replicas that are new were a 5xx.
# Their counters began at zero. What Prometheus did not answer is asked again by the next call.
few_errors() {
    local errors
    [ -n "$1" ] || return 0
    if ! errors=$(query errors "" "$1"); then
        [ $((SECONDS - heard)) -le $LONGEST_SILENCE ] || [ -n "$anyway" ] ||
            { say "Prometheus does not answer, so the new version cannot be watched"; return 1; }
        return 0
    fi
    heard=$SECONDS
    errors=$(_first_value <<<"$errors")
    [ "${errors%.*}" -lt "${ERROR_LIMIT:-3}" ] ||
        { say "$errors answers of the new version were a 5xx"; return 1; }
}

# watch_errors INSTANCES SECONDS: 1 as soon as there are too many.
watch_errors() {
    local end=$((SECONDS + $2)) heard=$SECONDS
    while [ $SECONDS -lt $end ]; do
        few_errors "$1" || return 1
        sleep 1
    done
}

# canary SERVING: a share of the traffic; 1 at the third 5xx, or if it does worse than those replicas.
canary() {
    local fresh
    start_canary || return 1
    # shellcheck disable=SC2086  # a list
    fresh=$(instances $CANARIES)
    watch_errors "$fresh" "$CANARY_SECONDS" || return 1
    ! is_worse "$1" "$fresh" "$CANARY_SECONDS"
}
