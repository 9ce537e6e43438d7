# shellcheck shell=bash
# Blue and green as pairs of services in compose.yaml: api and web, api-green and web-green.

read -ra COMPOSE <<<"${COMPOSE:-docker compose}"

_pair() { if [ "$1" = blue ]; then echo api web; else echo api-green web-green; fi; }

_exec() { "${COMPOSE[@]}" exec --no-TTY nginx "$@"; }

grafana_password() { "${COMPOSE[@]}" exec --no-TTY grafana cat /run/secrets/grafana_password; }

# The pair that nginx sends requests to.
active() {
    if _exec grep --quiet api-green /etc/nginx/active/upstream.conf; then echo green; else echo blue; fi
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

ask() { # COLOUR api|web PATH GET|POST: the status
    local host=$2 port=5001 body=()
    [ "$4" = GET ] || body=(--data "$NOBODY")
    [ "$1" = blue ] || host=$2-green
    [ "$2" = api ] || port=5000
    _exec curl --silent --output /dev/null --max-time 2 --write-out '%{http_code}' \
        ${body[@]+"${body[@]}"} "http://$host:$port$3"
}

switch() { # COLOUR
    local api web
    read -r api web <<<"$(_pair "$1")"
    # shellcheck disable=SC2016  # these are nginx's variables
    _exec sh -ec '
        cd /etc/nginx/active
        printf "map \"\" \$api { default %s:5001; }\nmap \"\" \$web { default %s:5000; }\n" "$1" "$2" >new
        mv new upstream.conf
        nginx -q -t -c /etc/nginx/nginx.conf
        nginx -c /etc/nginx/nginx.conf -s reload' sh "$api" "$web"
}

errors() { # answers with a 5xx so far, as nginx logged them
    _exec sh -c 'cat /var/log/minitwit/nginx/nginx.log.1 /var/log/minitwit/nginx/nginx.log 2>/dev/null |
        grep --count "\"status\":5" || true'
}
