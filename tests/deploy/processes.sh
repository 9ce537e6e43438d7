# shellcheck shell=bash disable=SC1090,SC2034
# Blue and green as processes on this machine, for the tests: the same functions as deploy/drivers.
# An "image" is a file in VERSIONS with the settings that version runs under.
# From the environment: STATE, VERSIONS, PYTHON, NGINX (its folder), SITE_DATABASE, and a port per pair and
# service: BLUE_API, BLUE_WEB, GREEN_API, GREEN_WEB.

_port() { local name=${1^^}_${2^^}; echo "${!name}"; }

grafana_password() { echo "not a secret"; }

active() { cat "$STATE/active"; }

image_of() { cat "$STATE/image-$1"; }

migrate() { DATABASE_URL=$SITE_DATABASE "$PYTHON" -m app migrate; }

start() { # COLOUR VERSION
    local service pid
    echo "$2" >"$STATE/image-$1"
    for service in api web; do
        ( # the lock is not for those who stay
            [ -z "${lock_file:-}" ] || exec {lock_file}>&-
            set -a
            PORT=$(_port "$1" $service) API_URL=http://127.0.0.1:$(_port "$1" api)
            LOG_STDOUT=0 DRAIN_SECONDS=1 LOG_FILE=$STATE/$1-$service.log
            . "$VERSIONS/$2"
            exec nice "$PYTHON" -m app $service </dev/null >>"$STATE/$1-$service.out" 2>&1
        ) &
        pid=$!
        echo $pid >"$STATE/$1-$service.pid"
    done
    for service in api web; do
        for ((try = 0; try < ${START_TRIES:-100}; try++)); do
            [ "$(ask "$1" $service /readyz)" != 200 ] || continue 2
            kill -0 "$(cat "$STATE/$1-$service.pid")" 2>/dev/null || break
            sleep 0.2
        done
        echo "$1: $service does not get ready"
        return 1
    done
}

stop() { # COLOUR: returns when its processes have ended
    local service pid
    for service in web api; do
        pid=$(cat "$STATE/$1-$service.pid")
        kill -TERM "$pid" 2>/dev/null || continue
        while kill -0 "$pid" 2>/dev/null && [ "$(ps -o stat= -p "$pid" | cut -c1)" != Z ]; do
            sleep 0.1
        done
    done
}

ask() { # COLOUR SERVICE PATH METHOD
    local body=()
    [ "${4:-GET}" = GET ] || body=(--data "$NOBODY")
    curl --silent --output /dev/null --max-time 2 --write-out '%{http_code}' \
        ${body[@]+"${body[@]}"} "http://127.0.0.1:$(_port "$1" "$2")$3" || true
}

switch() { # COLOUR
    printf 'map "" $%s { default 127.0.0.1:%s; }\n' \
        api "$(_port "$1" api)" web "$(_port "$1" web)" >"$NGINX/active/new"
    mv "$NGINX/active/new" "$NGINX/active/upstream.conf"
    kill -HUP "$(cat "$NGINX/nginx.pid")"
    echo "$1" >"$STATE/active"
}

errors() { grep --count '"status":5' "$NGINX/logs/nginx.log" || true; }
