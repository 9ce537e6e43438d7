#!/usr/bin/env bash
# Asks a deployed MiniTwit from outside: deploy/smoke.sh WEB_ADDRESS API_ADDRESS
# Exit status 1, with a line for each wrong answer, if something is not as it should be.
# CURL_OPTIONS: for example --cacert FILE where the certificate is one's own.
set -euo pipefail
web=${1:?usage: deploy/smoke.sh WEB_ADDRESS API_ADDRESS} api=${2:?usage: deploy/smoke.sh WEB_ADDRESS API_ADDRESS}
read -ra options <<<"${CURL_OPTIONS:-}"
wrong=0
while read -r address right; do
    status=$(curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' \
        ${options[@]+"${options[@]}"} "$address") || true
    if [ "$status" != "$right" ]; then
        echo "$address answers $status, not $right"
        wrong=1
    fi
done <<EOF
$web/public 200
$web/login 200
$web/metrics 403
$web/readyz 403
$api/latest 200
$api/api/openapi.json 200
$api/msgs 403
$api/metrics 403
EOF
[ "$wrong" = 0 ] && echo "all answers are right"
exit "$wrong"
