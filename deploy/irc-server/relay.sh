#!/bin/sh
# Fills the chat server's password, and the key of the voices' channel (relay_key beside it), into the relay's configuration, which it can take from no other
# place, and starts it, if told how. Nobody else may read the file that is written.
#
#   deploy/irc-server/relay.sh TEMPLATE PASSWORD_FILE OUT [PROGRAM ARGUMENT...]
#
# Both are of letters, digits, - and _ alone.
set -eu
template=$1 password=$2 out=$3
shift 3
umask 077
# The script comes by stdin: what is in an argument can be seen by all.
sed -f /dev/stdin "$template" >"$out.new" <<EOF
s|@CHAT_PASSWORD@|$(cat "$password")|
s|@RELAY_KEY@|$(cat "$(dirname "$password")/relay_key")|
EOF
mv "$out.new" "$out"
[ $# -eq 0 ] || exec "$@" -config "$out"
