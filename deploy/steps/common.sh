# shellcheck shell=bash
# What every step and both scripts use: messages, options, the lock, annotations in Grafana.

STATE=${STATE:-.deploy} # what this host remembers between two deploys
GRAFANA_URL=${GRAFANA_URL:-http://127.0.0.1:3000}
PROMETHEUS_URL=${PROMETHEUS_URL:-}
ALERTMANAGER_URL=${ALERTMANAGER_URL:-}
ASK_SECONDS=${ASK_SECONDS:-5} # for an answer of these
DRY=${DRY:-}

say() { printf '%s  %s\n' "$(date -u +%H:%M:%SZ)" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Parse the common options: parse_options ARGUMENTS... sets DRY, anyway, back and image.
# shellcheck disable=SC2034  # the scripts that source this use them
parse_options() {
    anyway='' back='' image=''
    while [ $# -gt 0 ]; do
        case $1 in
        --dry-run) DRY=1 ;;
        --anyway) anyway=--anyway ;;
        --back) back=1 anyway=--back ;;
        -*) fail "$USAGE" ;;
        *) image=$1 ;;
        esac
        shift
    done
}

# Run a command, or print it in a dry run.
run() {
    if [ -n "$DRY" ]; then
        say "would run: $*"
    else
        "$@"
    fi
}

# Whether a port in plain HTTP is reachable from outside: is_public ADDRESS; blank and loopback are not.
is_public() {
    case ${1:-} in "" | 127.* | ::1 | "[::1]" | localhost) return 1 ;; esac
}

# Hold the lock until this script ends; a second deploy is refused, not queued.
take_lock() {
    mkdir -p "$STATE"
    exec {lock_file}>"$STATE/lock"
    flock --nonblock "$lock_file" || fail "another deploy is under way (lock: $STATE/lock)"
}

# Add an annotation to every dashboard: annotate TEXT TAG... A failure does not stop the deploy.
annotate() {
    local text=$1 tags
    shift
    tags=$(printf ',"%s"' deploy "$@")
    text=${text//[\"\\]/}
    [ -z "$DRY" ] || { say "would note in Grafana: $text"; return 0; }
    # The password goes through a pipe: the list of processes shows arguments.
    printf 'user = "admin:%s"\n' "$(grafana_password)" |
        curl --silent --show-error --fail --max-time "$ASK_SECONDS" --output /dev/null --config - \
            --header 'Content-Type: application/json' \
            --data "{\"text\":\"$text\",\"tags\":[${tags#,}]}" "$GRAFANA_URL/api/annotations" ||
        say "Grafana took no note of it; that changes nothing"
}
