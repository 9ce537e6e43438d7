#!/bin/sh
# Makes the secrets that are missing in a folder: passwords, keys, a self-signed certificate.
#
#   DATABASE_ADDRESS=postgres:5432 SITE=example.org deploy/secrets.sh FOLDER
#
# What is there stays as it is: put your own certificate into FOLDER/tls before, or instead.
# Each subfolder is for one audience. Prints names, never contents.
set -eu
folder=${1:?usage: deploy/secrets.sh FOLDER}
: "${DATABASE_ADDRESS:=postgres:5432}" "${SITE:=localhost}"
umask 022

random() { # letters and digits only: safe in an address
    openssl rand -hex "${1:-24}"
}

keep() { # folder/name text: written in one step, readable for the container that it is given to
    [ ! -s "$folder/$1" ] || return 0
    mkdir -p "$(dirname "$folder/$1")"
    printf %s "$2" >"$folder/$1.new"
    chmod 0444 "$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
    echo "made $1"
}

keep database/database_password "$(random)"
password=$(cat "$folder/database/database_password")
keep database/database_url "postgresql://minitwit:$password@$DATABASE_ADDRESS/minitwit${DATABASE_OPTIONS:-}"
keep web/secret_key "$(random 32)"
keep grafana/grafana_password "$(random 16)"

if [ ! -s "$folder/tls/tls_certificate" ] || [ ! -s "$folder/tls/tls_key" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 \
        -subj "/CN=$SITE" -addext "subjectAltName=DNS:$SITE,DNS:api.$SITE,DNS:grafana.$SITE" \
        -keyout "$work/key" -out "$work/certificate" 2>/dev/null
    rm -f "$folder/tls/tls_certificate" "$folder/tls/tls_key"
    keep tls/tls_certificate "$(cat "$work/certificate")
"
    keep tls/tls_key "$(cat "$work/key")
"
fi
