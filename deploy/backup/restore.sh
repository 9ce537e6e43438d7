#!/bin/sh
# Restores a backup into a new database, proves that all of it is there, and, with --swap, puts the
# new one in the place of the old, which stays under another name.
#   restore.sh [--swap] [FILE]      (the newest backup, if no file is named)
# The environment is that of backup.sh, but with the owner of the database as the user.
set -eu
umask 077
here=$(dirname "$0")
# shellcheck source=deploy/backup/connection.sh
. "$here/connection.sh"
swap=
case ${1:-} in
--swap)
    swap=yes
    shift
    ;;
-*)
    sed -n '2,5s/^# //p' "$0"
    exit 2
    ;;
esac
# As backup.sh counts them: not those in folders below, nor those that were renamed.
newest() { find "${BACKUPS:?where backups are kept}/" -maxdepth 1 -name 'minitwit-[0-9]*Z.dump' | sort | tail -n 1; }
file=${1:-$(newest)}
# Named by a clock that was ahead, it may be older than others.
if [ $# -eq 0 ] && expr "${file##*/}" \> "minitwit-$(date -u +%Y%m%dT%H%M%SZ).dump" >/dev/null; then
    echo "restore: $file is named later than now; say which FILE to restore" >&2
    exit 1
fi
[ -s "${file:-/none}" ] || { echo "restore: there is no backup ${file:-in $BACKUPS}" >&2; exit 1; }
database=${PGDATABASE:?the name of the database}
stamp=$(date -u +%Y%m%d%H%M%S)_$$
new=${database}_$stamp
sums=$(mktemp)
trap 'rm -f "$sums"' EXIT

run() { PGDATABASE=$1 psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --command "$2"; }

echo "Restoring $file into $new ..."
run postgres "CREATE DATABASE \"$new\" TEMPLATE template0"
undo() {
    echo "restore: $1; $database is as it was" >&2
    run postgres "DROP DATABASE \"$new\"" || true
    exit 1
}
PGDATABASE=$new pg_restore --exit-on-error --no-owner --dbname="$new" "$file" || undo "it failed"
proven() {
    PGTZ=$1 PGDATABASE=$new psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file="$here/sums.sql" >"$sums"
    cmp -s "$sums" "$file.sums"
}
# Older sums are of the server's own time zone, which libpq calls `default`.
if ! proven UTC && ! proven default; then
    diff "$file.sums" "$sums" >&2 || true
    undo "what was restored is not what was backed up"
fi
PGDATABASE=$new psql --quiet --no-psqlrc --command ANALYZE
echo "Restored and proven:"
sed 's/^/  /; s/|/ /g' "$sums"
if [ -z "$swap" ]; then
    echo "It is in the database $new. To put it in the place of $database: restore --swap"
    exit
fi
old=${database}_before_$stamp
# One transaction, as psql sends one command: whatever ends it, $database is the old one or the new.
# A rename locks its database against new sessions, but waits only five seconds for those that are
# there. Autovacuum's have no user, and a rename ends them itself.
swap() {
    run postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = '$database' AND usesysid IS NOT NULL;
        ALTER DATABASE \"$database\" RENAME TO \"$old\";
        ALTER DATABASE \"$new\" RENAME TO \"$database\"" >/dev/null
}
outcome() { # as the server has it: a swap whose reply was lost may be done
    rm -f "$sums"
    names=$(run postgres "SELECT '<' || datname || '>' FROM pg_database") || names=
    was="$database is as it was"
    case $names in *"<$database>"*) ;; *) was="there is no database $database" ;; esac
    case $names in
    *"<$new>"*) echo "restore: not swapped; $was, the restored one is $new" >&2 ;;
    *"<$old>"*) echo "$database is the restored one; the former is $old. Drop it when you are sure." ;;
    *) echo "restore: cannot tell whether it was swapped; it was if there is a database $old" >&2 ;;
    esac
}
trap outcome EXIT
trap 'exit 1' INT TERM
# Again if a client came back between the end of its session and the lock.
swap || swap || swap
