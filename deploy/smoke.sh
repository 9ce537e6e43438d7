#!/usr/bin/env bash
# Asks a deployed MiniTwit from outside:            deploy/smoke.sh WEB_ADDRESS API_ADDRESS
# Asks a pair of replicas that nginx does not serve: deploy/smoke.sh --inside WEB_ADDRESS API_ADDRESS
# Exit status 1, with a line for each wrong answer, if something is not as it should be.
#
# With PROBE_PASSWORD_FILE it also registers, logs in and posts as PROBE_USER (minitwit-probe), whose
# name is taken and whose messages nobody sees. CURL (curl) is how it asks; CURL_OPTIONS: for example
# --cacert FILE where the certificate is one's own.
set -euo pipefail
USAGE="usage: deploy/smoke.sh [--inside] WEB_ADDRESS API_ADDRESS"
inside=
if [ "${1:-}" = --inside ]; then
    inside=1
    shift
fi
web=${1:?$USAGE} api=${2:?$USAGE}
user=${PROBE_USER:-minitwit-probe}
read -ra ask <<<"${CURL:-curl}"
read -ra options <<<"${CURL_OPTIONS:-}"
ask+=(--silent --max-time 10 ${options[@]+"${options[@]}"})
wrong=0

complain() {
    echo "$1 answers $2, not $3"
    wrong=1
}

# The address and the right status of each page: from outside, what is for who is inside is closed.
pages() {
    echo "$web/public 200
$web/login 200
$api/latest 200
$api/api/openapi.json 200"
    if [ -n "$inside" ]; then
        echo "$web/readyz 200
$api/readyz 200"
    else
        echo "$web/metrics 403
$web/readyz 403
$api/msgs 403
$api/metrics 403"
    fi
}

# A form as curl's configuration: form PATH NAME=VALUE...; it goes by a pipe, for it has a password.
form() {
    printf 'url = "%s%s"\ncookie = ""\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' "$web" "$1"
    printf 'data-urlencode = "%s"\n' "${@:2}"
}

# What a person does: that the name is taken is found only by trying to write it.
story() {
    local password statuses
    password=$(cat "$PROBE_PASSWORD_FILE")
    mapfile -t statuses < <({
        form /register "username=$user" "email=$user@localhost" "password=$password" "password2=$password"
        echo next
        form /login "username=$user" "password=$password"
        echo next
        form /add_message "text=a deploy"
    } | "${ask[@]}" --config - || true)
    [[ ${statuses[0]:-none} =~ ^(200|302)$ ]] || complain "POST $web/register" "${statuses[0]:-none}" 200
    [ "${statuses[1]:-none}" = 302 ] || complain "POST $web/login" "${statuses[1]:-none}" 302
    [ "${statuses[2]:-none}" = 302 ] || complain "POST $web/add_message" "${statuses[2]:-none}" 302
}

while read -r address right; do
    status=$("${ask[@]}" --output /dev/null --write-out '%{http_code}' "$address" </dev/null) || true
    [ "$status" = "$right" ] || complain "$address" "${status:-none}" "$right"
done < <(pages)
if [ -n "${PROBE_PASSWORD_FILE:-}" ]; then story; else echo "nobody logged in: PROBE_PASSWORD_FILE is not set"; fi
[ "$wrong" = 0 ] && echo "all answers are right"
exit "$wrong"
