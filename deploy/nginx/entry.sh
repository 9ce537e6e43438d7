#!/bin/sh
# What runs in nginx's container: sees to the first version and to the size of the log.
set -eu
folder=${FOLDER:-/etc/nginx}
log=${LOG:-/var/log/minitwit/nginx/nginx.log}
pid=${PID:-/tmp/nginx.pid}

# Which api and web are served. The deploy script writes another pair here, and has nginx reload.
active=$folder/active/upstream.conf
if [ ! -e "$active" ]; then
    # shellcheck disable=SC2016  # these are nginx's variables
    printf 'map "" $api { default api:5001; }\nmap "" $web { default web:5000; }\n' >"$active"
fi

# Promtail follows the file by name: it is renamed and begun anew, one older one is kept.
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
