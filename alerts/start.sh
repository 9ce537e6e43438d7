#!/bin/sh
# Keeps of Alertmanager's configuration the receivers whose secrets are there, and starts it, if
# told how.
#
#   alerts/start.sh TEMPLATE SECRETS OUT [PROGRAM ARGUMENT...]
#
# "# needs NAME..." begins what is kept only if each SECRETS/NAME holds more than blanks; "# end"
# ends it. Nothing secret is written: Alertmanager reads the files itself.
set -eu
template=$1 secrets=$2 out=$3
shift 3
have=" "
for file in "$secrets"/*; do
    if [ -f "$file" ] && [ -r "$file" ] && grep -q '[^[:space:]]' "$file"; then have="$have${file##*/} "; fi
done
awk -v have="$have" '
    $1 == "#" && $2 == "needs" { keep = 1; for (i = 3; i <= NF; i++) if (!index(have, " " $i " ")) keep = 0; inside = 1; next }
    $1 == "#" && $2 == "end" { inside = 0; next }
    !inside || keep
' "$template" >"$out"
[ $# -eq 0 ] || exec "$@" --config.file="$out"
