# shellcheck shell=bash
# Blue and green as pairs of services in compose.yaml: api and web, api-green and web-green.

read -ra COMPOSE <<<"${COMPOSE:-docker compose}"

_pair() { if [ "$1" = blue ]; then echo api web; else echo api-green web-green; fi; }

_exec() { "${COMPOSE[@]}" exec --no-TTY nginx "$@"; }

grafana_password() { "${COMPOSE[@]}" exec --no-TTY grafana cat /run/secrets/grafana_password; }

# The pair that nginx sends requests to.
active() {
    if _exec grep --quiet 'default api-green' /etc/nginx/active/upstream.conf; then echo green; else echo blue; fi
}

# The image of a pair, as the next `docker compose up` would take it.
image_of() { sed -n "s/^IMAGE_${1^^}=//p" .env 2>/dev/null | tail -1 | grep . || echo minitwit:local; }

_remember() {
    touch .env
    sed -i "/^IMAGE_${1^^}=/d" .env
    echo "IMAGE_${1^^}=$2" >>.env
}

migrate() { # IMAGE
    env IMAGE_BLUE="$1" MINITWIT_IMAGE="$1" "${COMPOSE[@]}" run --rm --no-TTY --no-deps migrate
}

start() { # COLOUR IMAGE: returns when its replicas are healthy
    local api web
    read -r api web <<<"$(_pair "$1")"
    _remember "$1" "$2"
    "${COMPOSE[@]}" --profile green up --detach --no-deps --no-build --wait --wait-timeout 90 \
        --scale "$api=${API_REPLICAS:-1}" --scale "$web=${WEB_REPLICAS:-1}" "$api" "$web"
}

stop() { # COLOUR: its replicas serve what they have begun
    local pair
    read -ra pair <<<"$(_pair "$1")"
    "${COMPOSE[@]}" --profile green stop "${pair[@]}"
}

# The replicas of a pair as Prometheus and nginx's log name them: a regular expression.
instances() { # COLOUR
    local pair service port found=()
    read -ra pair <<<"$(_pair "$1")"
    for service in "${pair[@]}"; do
        port=5001
        [ "${service%-green}" = api ] || port=5000
        mapfile -t -O ${#found[@]} found < <("${COMPOSE[@]}" --profile green ps --quiet "$service" |
            xargs -r docker inspect --format "{{range .NetworkSettings.Networks}}{{.IPAddress}}:$port|{{end}}" |
            tr '|' '\n' | grep -v '^:' | grep .)
    done
    (IFS='|' && echo "${found[*]}")
}

# A pair asked from within nginx's container, which alone reaches it, as people and the probe user do.
smoke() { # COLOUR
    local api web
    read -r api web <<<"$(_pair "$1")"
    CURL="${COMPOSE[*]} exec --no-TTY nginx curl" \
        PROBE_PASSWORD_FILE=<("${COMPOSE[@]}" exec --no-TTY "$api" cat /run/secrets/probe_password) \
        deploy/smoke.sh --inside "http://$web:5000" "http://$api:5001"
}

_route() { # TEXT: nginx's new upstream.conf
    # shellcheck disable=SC2016  # these are for the shell in there
    _exec sh -ec '
        cd /etc/nginx/active
        printf "%s\n" "$1" >new
        mv new upstream.conf
        nginx -q -t -c /etc/nginx/nginx.conf
        nginx -c /etc/nginx/nginx.conf -s reload' sh "$1"
}

switch() { # COLOUR
    local api web
    read -r api web <<<"$(_pair "$1")"
    _route "map \"\" \$api { default $api:5001; }
map \"\" \$web { default $web:5000; }"
}

split() { # OLD NEW PERCENT: so many of a hundred requests go to NEW
    local api web new_api new_web
    read -r api web <<<"$(_pair "$1")"
    read -r new_api new_web <<<"$(_pair "$2")"
    _route "split_clients \$request_id \$side { $3% new; * old; }
map \$side \$api { default $api:5001; new $new_api:5001; }
map \$side \$web { default $web:5000; new $new_web:5000; }"
}

follow() { # SECONDS: the lines that nginx logs from now on
    _exec timeout "$1" tail --lines 0 --follow=name --retry /var/log/minitwit/nginx/nginx.log
}
