#!/bin/sh
# Fills the passwords into Blackbox's configuration, which it can take from no other place, and
# starts it, if told how. Nobody else may read the file that is written.
#
#   blackbox/start.sh TEMPLATE SECRETS OUT [PROGRAM ARGUMENT...]
#
# SECRETS is the folder with probe_password and monitoring_password, of letters, digits, - and _.
# The simulator's credentials are SIMULATOR_USER and SIMULATOR_PASSWORD (or _FILE), as for api.
set -eu
template=$1 secrets=$2 out=$3
shift 3
umask 077
[ -z "${SIMULATOR_PASSWORD_FILE:-}" ] || SIMULATOR_PASSWORD=$(cat "$SIMULATOR_PASSWORD_FILE")
simulator=$(printf %s "${SIMULATOR_USER:-simulator}:${SIMULATOR_PASSWORD:-super_safe!}" | base64 | tr -d '\n')
# The script comes by stdin: what is in an argument can be seen by all.
sed -f /dev/stdin "$template" >"$out.new" <<EOF
s|@PROBE_PASSWORD@|$(cat "$secrets/probe_password")|
s|@MONITORING_PASSWORD@|$(cat "$secrets/monitoring_password")|
s|@SIMULATOR@|$simulator|
EOF
mv "$out.new" "$out"
[ $# -eq 0 ] || exec "$@" --config.file="$out"
