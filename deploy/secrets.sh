#!/bin/sh
# Makes the secrets that are missing in a folder: passwords, keys, a self-signed certificate.
#
#   DATABASE_ADDRESS=postgres:5432 SITE=example.org deploy/secrets.sh FOLDER
#
# With DATABASE_TLS=1 also an authority and a certificate for a PostgreSQL of one's own; the
# address then says that the certificate must be verified. With DATABASE_ONE_ROLE=1 (a managed
# database whose user may make no roles) every service uses the owner's role.
# SIMULATOR_PASSWORD (or _FILE) sets the simulator's, for one that runs elsewhere.
#
# What is there stays as it is: put your own certificate into FOLDER/tls before, or instead.
# Each subfolder is for one audience. Prints names, never contents.
set -eu
folder=${1:?usage: deploy/secrets.sh FOLDER}
: "${DATABASE_ADDRESS:=postgres:5432}" "${SITE:=localhost}"
umask 022
mkdir -p "$folder"
# On a host it is its owner's alone, whoever made it; in compose's container it cannot be written.
[ ! -w "$folder" ] || chmod go-rwx "$folder"

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

# ---- the database: a role for each purpose, whose passwords only the owner has all of ----
keep database/database_password "$(random)"
address() { # ROLE PASSWORD
    echo "postgresql://$1:$2@$DATABASE_ADDRESS/minitwit${DATABASE_OPTIONS:-}"
}
owner=$(cat "$folder/database/database_password")
keep database/owner_url "$(address minitwit "$owner")"
if [ -n "${DATABASE_ONE_ROLE:-}" ]; then
    echo "one role for everything: each service may do all that a migration may" >&2
    keep database/database_roles "# one role for everything"
    keep api/app_url "$(address minitwit "$owner")"
    keep import/import_url "$(address minitwit "$owner")"
    for purpose in monitor backup; do
        keep $purpose/${purpose}_user minitwit
        keep $purpose/${purpose}_password "$owner"
    done
elif [ ! -s "$folder/database/database_roles" ]; then
    password=$(random)
    roles="app minitwit_app $password
"
    rm -f "$folder/api/app_url" # of a run that did not come to the end of this
    keep api/app_url "$(address minitwit_app "$password")"
    for purpose in monitor backup; do
        keep $purpose/${purpose}_user "minitwit_$purpose"
        keep $purpose/${purpose}_password "$(random)"
        roles="$roles$purpose minitwit_$purpose $(cat "$folder/$purpose/${purpose}_password")
"
    done
    # The last one: if this script was killed half-way, the next run makes all of them again.
    keep database/database_roles "$roles"
fi
# A set made before the import had a role gets one; `migrate` makes it.
if grep -q '^app ' "$folder/database/database_roles" &&
    ! grep -q '^import ' "$folder/database/database_roles"; then
    password=$(random)
    roles=$(cat "$folder/database/database_roles")
    rm -f "$folder/import/import_url"
    keep import/import_url "$(address minitwit_import "$password")"
    rm -f "$folder/database/database_roles"
    keep database/database_roles "$roles
import minitwit_import $password
"
fi
# Before there were roles, all services shared the owner's folder.
rm -f "$folder/database/database_url" "$folder/database/probe_password"

# ---- what services know of each other ----------------------------------------------------
# Of a set made before there was the folder of api, Blackbox's is the one that is in use.
[ -s "$folder/blackbox/probe_password" ] || keep blackbox/probe_password "$(random)"
keep api/probe_password "$(cat "$folder/blackbox/probe_password")"
[ -z "${SIMULATOR_PASSWORD_FILE:-}" ] || SIMULATOR_PASSWORD=$(cat "$SIMULATOR_PASSWORD_FILE")
if [ "${SIMULATOR_PASSWORD:-}" = 'super_safe!' ]; then # pragma: allowlist secret
    echo "WARNING: the course's password is public: anyone who reaches api posts as anyone" >&2
fi
# One that is set replaces the one that is there.
[ -z "${SIMULATOR_PASSWORD:-}" ] || rm -f "$folder"/*/simulator_password
keep api/simulator_password "${SIMULATOR_PASSWORD:-$(random)}"
for audience in blackbox simulator; do
    keep $audience/simulator_password "$(cat "$folder/api/simulator_password")"
done

# ---- how the monitoring logs in at itself ------------------------------------------------
keep prometheus/monitoring_password "$(random)"
monitoring=$(cat "$folder/prometheus/monitoring_password")
for audience in blackbox grafana; do keep $audience/monitoring_password "$monitoring"; done
keep loki/monitoring_basic "$(printf 'monitoring:%s' "$monitoring" | openssl base64 -A)"
if [ ! -s "$folder/blackbox/web_config" ]; then
    # The C library's bcrypt: Prometheus' programs know no other hash.
    hash=$(printf %s "$monitoring" | salt=$(random 11) perl -e \
        'my $password = <STDIN>; print crypt($password, "\$2b\$08\$$ENV{salt}") // ""')
    case $hash in "\$2b\$08\$"*) ;; *) echo "secrets: this system's crypt() knows no bcrypt" >&2 && exit 1 ;; esac
    keep blackbox/web_config "basic_auth_users: {monitoring: \"$hash\"}"
fi
keep deadman/monitoring_basic "$(cat "$folder/loki/monitoring_basic")"
keep alertmanager/web_config "$(cat "$folder/blackbox/web_config")"
keep deadman/deadman_secret "$(random)"
keep alertmanager/deadman_secret "$(cat "$folder/deadman/deadman_secret")"
keep chat/chat_password "$(random)"
for audience in relay chatlog deadman; do
    keep $audience/chat_password "$(cat "$folder/chat/chat_password")"
done
# Programs with this key may post alerts; people have the password alone.
keep relay/relay_key "$(random)"
for audience in chatlog deadman; do keep $audience/relay_key "$(cat "$folder/relay/relay_key")"; done
keep chat/voices.conf "[Channel]
Name = #minitwit-voices
Modes = +nstk $(cat "$folder/relay/relay_key")
"
keep chat/server.conf "[Global]
Password = $(cat "$folder/chat/chat_password")
"
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
