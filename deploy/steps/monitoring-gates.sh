# shellcheck shell=bash
# Gates of a deploy that query the monitoring: critical alerts, error budgets, the comparison of two
# versions; and the silences that a deploy sets. Prometheus and Alertmanager are reached through
# Grafana, with its password, unless PROMETHEUS_URL and ALERTMANAGER_URL are set.

QUERIES=alerts/generated/deploy/queries.promql
MINIMUM_REQUESTS=50 # of each version, below which they are not compared
SILENCE_MINUTES=30 # if this script is killed, the silence ends by itself
silence=

# _through prometheus|alertmanager PATH [OPTION OF CURL...]
_through() {
    local url=$PROMETHEUS_URL login=
    [ "$1" = prometheus ] || url=$ALERTMANAGER_URL
    if [ -z "$url" ]; then
        url=$GRAFANA_URL/api/datasources/proxy/uid/$1
        login="user = \"admin:$(grafana_password)\""
    fi
    # The password goes through a pipe: the list of processes shows arguments.
    curl --silent --fail --max-time "$ASK_SECONDS" --config - "${@:3}" "$url$2" <<<"$login"
}

# Run a query of that file: query NAME [SERVICE INSTANCES SECONDS]; prints the JSON response.
query() {
    local text
    text=$(sed -n "s/^$1 //p" "$QUERIES")
    text=${text//\$service/"${2:-}"}
    text=${text//\$instance/"${3:-}"}
    text=${text//\$__range/"${4:-}s"}
    _through prometheus /api/v1/query --get --data-urlencode "query=$text"
}

# The value of the first series in a response; 0 without one.
_first_value() { sed -n 's/^[^[]*\[.*"value":\[[0-9.]*,"\([^"]*\)"\].*/\1/p' | grep . || echo 0; }

# A label of each series in a response, and its service, if it has one.
_label_values() { tr '{' '\n' | sed -n "s/.*\"$1\":\"\([^\"]*\)\"\(.*\"service\":\"\([^\"]*\)\"\)\{0,1\}.*/\1 \3/p" | sort -u; }

# Print why no deploy may start now; print nothing if one may.
reasons_to_refuse() {
    local alerts budgets
    if ! alerts=$(query critical) || ! budgets=$(query spent); then
        echo "Prometheus does not answer, so nothing is known of alerts and budgets"
        return
    fi
    alerts=$(_label_values alertname <<<"$alerts" | sed 's/ $//; s/ / of /' | paste -sd, | sed 's/,/, /g')
    budgets=$(_label_values objective <<<"$budgets" | sed 's/ $//' | paste -sd, | sed 's/,/, /g')
    [ -z "$alerts" ] || echo "a critical alert fires: $alerts"
    [ -z "$budgets" ] || echo "the error budget is spent: $budgets"
}

# End the deploy if there are reasons to refuse it; with an argument only print them.
may_start() {
    local why
    why=$(reasons_to_refuse | paste -sd';' | sed 's/;/; /g')
    [ -n "$why" ] || return 0
    [ -n "${1:-}" ] || fail "REFUSED: $why. --anyway deploys all the same."
    say "  $why; it goes on all the same ($1)"
}

# is_worse OLD NEW SECONDS: compare two versions, given as regular expressions of instances; succeeds
# if NEW is worse, and prints why.
is_worse() {
    local service verdict=1
    for service in api web; do
        _compare "$service" "$@" || verdict=0
    done
    return $verdict
}

_compare() { # SERVICE OLD NEW SECONDS: 1 if it is worse
    local figures=() name side answer versions=()
    for side in "$2" "$3"; do
        for name in requests failed p99; do
            answer=$(query "$name" "$1" "$side" "$4") ||
                { say "  $1 is not compared: Prometheus does not answer"; return 0; }
            figures+=("$(_first_value <<<"$answer")")
        done
        versions+=("$(query version "$1" "$side" "$4" | sed -n 's/.*"version":"\([^"]*\)".*/\1/p')")
    done
    say "  $(awk -v minimum="$MINIMUM_REQUESTS" -v service="$1" -v old="${versions[0]}" -v new="${versions[1]}" '
        function shown(requests, failed, p99) {
            return sprintf("%.1f %% of %d failed, p99 %d ms", 100 * failed / requests, requests, 1000 * p99)
        }
        {
            if ($1 < minimum || $4 < minimum) {
                printf "%s: too few to judge (%d requests of %s, %d of %s)", service, $1, old, $4, new
                exit
            }
            bad = $5 / $4 > $2 / $1 + 0.01 || ($6 > 2 * $3 && $6 > $3 + 0.1)
            printf "%s: %s %s (%s), %s (%s)", service, new, bad ? "is WORSE" : "does no worse",
                shown($4, $5, $6), old, shown($1, $2, $3)
        }' <<<"${figures[*]}" | tee "$STATE/compared")"
    ! grep -q 'is WORSE' "$STATE/compared"
}

# silence_all_but INSTANCES IMAGE: silence MiniTwitTargetDown of every replica of api and web but
# INSTANCES, which serve. The alert without an instance (no replica at all) still pages.
silence_all_but() {
    local before=$silence body
    printf -v body '{"createdBy":"deploy","comment":"deploy of %s","startsAt":"%s","endsAt":"%s","matchers":[%s,%s,%s]}' \
        "$2" "$(date -u +%FT%TZ)" "$(date -u -d "+$SILENCE_MINUTES minutes" +%FT%TZ)" \
        '{"name":"alertname","value":"MiniTwitTargetDown","isRegex":false,"isEqual":true}' \
        '{"name":"service","value":"api|web","isRegex":true,"isEqual":true}' \
        "{\"name\":\"instance\",\"value\":\"$1|\",\"isRegex\":true,\"isEqual\":false}"
    silence=$(_through alertmanager /api/v2/silences --header 'Content-Type: application/json' --data "$body" |
        sed -n 's/.*"silenceID":"\([^"]*\)".*/\1/p') || silence=
    [ -n "$silence" ] || say "Alertmanager took no silence; somebody may be paged for a replica that goes"
    _expire "$before"
}

silence_end() {
    _expire "$silence"
    silence=
}

_expire() {
    [ -z "$1" ] || _through alertmanager "/api/v2/silence/$1" --request DELETE >/dev/null ||
        say "the silence $1 could not be ended; it ends by itself within $SILENCE_MINUTES minutes"
}
