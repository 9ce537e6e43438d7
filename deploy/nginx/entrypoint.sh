#!/bin/sh
# Entrypoint of nginx's container: writes the first upstream configuration and the known hosts,
# rotates the log, starts nginx.
#   SITE    the domain; with it, only SITE, its api. and grafana., and HOSTS are answered
#   HOSTS   other names and addresses that clients use, separated by spaces
#   PLAIN_WEB, PLAIN_API   addresses on which 5000 and 5001 are open in plain HTTP
set -eu
folder=${FOLDER:-/etc/nginx}
log=${LOG:-/var/log/minitwit/nginx/nginx.log}
pid=${PID:-/tmp/nginx.pid}
scratch=${SCRATCH:-/tmp}

# Which api and web are served. The deploy script writes another pair here, and has nginx reload.
active=$folder/active/upstream.conf
if [ ! -e "$active" ]; then
    # shellcheck disable=SC2016  # these are nginx's variables
    printf 'map "" $api { default api:5001; }\nmap "" $web { default web:5000; }\n' >"$active"
fi

# Hosts that get a response ($known_host), and those that port 80 redirects to TLS ($redirected_host):
# without SITE only addresses, because a forged name must not be repeated in a response.
hosts="${HOSTS:-}"
unknown=1
if [ -n "${SITE:-}" ]; then
    hosts="$SITE api.$SITE grafana.$SITE $hosts"
    unknown=0
fi
case $hosts in *[!A-Za-z0-9.:\ \[\]-]*)
    echo "entrypoint.sh: SITE and HOSTS may hold names and addresses only, not '$hosts'" >&2
    exit 1
    ;;
esac
names() { # DEFAULT NAME...: the inside of a map
    printf '    default %s;\n' "$1"
    shift
    for name in "$@"; do printf '    "%s" 1;\n' "$name"; done | sort -u
}
{
    # What is inside asks for localhost and for nginx. Without a host there is a 400 of its own.
    # shellcheck disable=SC2016  # nginx's variable
    printf 'map $host $known_host {\n'
    # shellcheck disable=SC2086  # a list
    names "$unknown" "" localhost 127.0.0.1 nginx $hosts
    # shellcheck disable=SC2016
    printf '}\nmap $host $redirected_host {\n'
    # shellcheck disable=SC2086
    names 0 localhost 127.0.0.1 $hosts
    if [ "$unknown" = 1 ]; then printf '    "~^[0-9.]+$" 1;\n    "~^\\[" 1;\n'; fi
    printf '}\n'
} >"$scratch/site.conf"

for plain in "PLAIN_WEB=${PLAIN_WEB:-}" "PLAIN_API=${PLAIN_API:-}"; do
    case ${plain#*=} in "" | 127.* | ::1 | "[::1]" | localhost) continue ;; esac
    echo "entrypoint.sh: WARNING: $plain opens plain HTTP: passwords cross the network in plain text" >&2
done

# Promtail follows the file by its name. Rotation renames it; one older file is kept.
rotate() {
    while sleep "${ROTATE_SECONDS:-10}"; do
        if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt "${LOG_BYTES:-20000000}" ]; then
            mv -f "$log" "$log.1"
            kill -USR1 "$(cat "$pid")"
        fi
    done
}
rotate &

exec nginx -e stderr -c "$folder/nginx.conf" -g "daemon off;"
