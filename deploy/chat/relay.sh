#!/bin/sh
# Fills the chat server's password into the relay's configuration, which it can take from no other
# place, and starts it, if told how. Nobody else may read the file that is written.
#
#   deploy/chat/relay.sh TEMPLATE PASSWORD_FILE OUT [PROGRAM ARGUMENT...]
#
# The password is of letters, digits, - and _ alone.
set -eu
template=$1 password=$2 out=$3
shift 3
umask 077
# The script comes by stdin: what is in an argument can be seen by all.
sed -f /dev/stdin "$template" >"$out.new" <<EOF
s|@CHAT_PASSWORD@|$(cat "$password")|
EOF
mv "$out.new" "$out"
[ $# -eq 0 ] || exec "$@" -config "$out"
