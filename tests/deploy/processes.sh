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
            exec "$PYTHON" -m app $service </dev/null >>"$STATE/$1-$service.out" 2>&1
        ) &
        pid=$!
        echo $pid >"$STATE/$1-$service.pid"
    done
    for service in api web; do
        for ((try = 0; try < ${START_TRIES:-900}; try++)); do
            ! _ready "$1" $service || continue 2
            kill -0 "$(cat "$STATE/$1-$service.pid")" 2>/dev/null || break
            sleep 0.2
        done
        echo "$1: $service does not get ready"
        return 1
    done
}

stop() { # COLOUR: returns when its processes have ended, and all of their threads
    local service pid task
    for service in web api; do
        pid=$(cat "$STATE/$1-$service.pid")
        kill -TERM "$pid" 2>/dev/null || continue
        while task=$(ps -o stat=,nlwp= -p "$pid") && [[ $task != Z*[[:space:]]1 ]]; do
            sleep 0.1
        done
    done
}

_ready() { # COLOUR SERVICE
    curl --silent --fail --output /dev/null --max-time 2 "http://127.0.0.1:$(_port "$1" "$2")/readyz"
}

instances() { echo "127.0.0.1:$(_port "$1" api)|127.0.0.1:$(_port "$1" web)"; } # COLOUR

smoke() { # COLOUR
    PROBE_PASSWORD_FILE=$STATE/probe_password deploy/smoke.sh --inside \
        "http://127.0.0.1:$(_port "$1" web)" "http://127.0.0.1:$(_port "$1" api)"
}

_route() {
    cat >"$NGINX/active/new"
    mv "$NGINX/active/new" "$NGINX/active/upstream.conf"
    kill -HUP "$(cat "$NGINX/nginx.pid")"
}

switch() { # COLOUR
    printf 'map "" $%s { default 127.0.0.1:%s; }\n' \
        api "$(_port "$1" api)" web "$(_port "$1" web)" | _route
    echo "$1" >"$STATE/active"
}

split() { # OLD NEW PERCENT
    local service
    {
        echo "split_clients \$request_id \$side { $3% new; * old; }"
        for service in api web; do
            # shellcheck disable=SC2016  # these are nginx's variables
            printf 'map $side $%s { default 127.0.0.1:%s; new 127.0.0.1:%s; }\n' \
                $service "$(_port "$1" $service)" "$(_port "$2" $service)"
        done
    } | _route
}

follow() { timeout "$1" tail -n 0 -F "$NGINX/logs/nginx.log"; } # SECONDS
