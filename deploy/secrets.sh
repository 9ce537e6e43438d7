#!/bin/sh
# Makes the secrets that are missing in a folder: passwords, keys, a self-signed certificate.
#
#   DATABASE_ADDRESS=postgres:5432 SITE=example.org deploy/secrets.sh FOLDER
#
# With DATABASE_TLS=1 also an authority and a certificate for a PostgreSQL of one's own; the
# address then says that the certificate must be verified.
#
# What is there stays as it is: put your own certificate into FOLDER/tls before, or instead.
# Each subfolder is for one audience. Prints names, never contents.
set -eu
folder=${1:?usage: deploy/secrets.sh FOLDER}
: "${DATABASE_ADDRESS:=postgres:5432}" "${SITE:=localhost}"
umask 022
[ -d "$folder" ] || (umask 077 && mkdir -p "$folder") # on a host: for its owner alone

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

if [ -n "${DATABASE_TLS:-}" ]; then
    host=${DATABASE_ADDRESS%:*}
    work=$(mktemp -d)
    if [ ! -s "$folder/database/database_ca" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
            -subj "/CN=MiniTwit database authority" \
            -keyout "$work/ca.key" -out "$work/ca" 2>/dev/null
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$host" \
            -keyout "$work/key" -out "$work/request" 2>/dev/null
        printf 'subjectAltName=DNS:%s\n' "$host" >"$work/names"
        openssl x509 -req -days 825 -in "$work/request" -extfile "$work/names" \
            -CA "$work/ca" -CAkey "$work/ca.key" -CAcreateserial -out "$work/certificate" 2>/dev/null
        keep database/database_ca "$(cat "$work/ca")
"
        keep database/database_certificate "$(cat "$work/certificate")
"
        keep database/database_key "$(cat "$work/key")
"
    fi
    rm -rf "$work"
    DATABASE_OPTIONS="?sslmode=verify-full&sslrootcert=/run/secrets/database_ca"
fi
keep database/database_password "$(random)"
password=$(cat "$folder/database/database_password")
keep database/database_url "postgresql://minitwit:$password@$DATABASE_ADDRESS/minitwit${DATABASE_OPTIONS:-}"
# Who may read the folder of the database may be any user anyway.
keep database/probe_password "$(random)"
keep blackbox/probe_password "$(cat "$folder/database/probe_password")"
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
