#!/bin/sh
# Takes a backup of the database, now or again and again, and keeps the newest ones.
#   backup.sh [--every SECONDS]
# DATABASE_ADDRESS (host:port), PGDATABASE, PGUSER or PGUSER_FILE, PGPASSWORD_FILE; BACKUPS is the
# folder, BACKUP_KEEP how many stay (14). What was taken, and when, is also noted in the database:
# api shows its age. A backup counts only when it is complete and can be read. Exit status 3: it was
# taken and is kept, but what followed failed.
set -eu
umask 077 # a dump has addresses and hashes of passwords
here=$(dirname "$0")
# shellcheck source=deploy/backup/connection.sh
. "$here/connection.sh"
folder=${BACKUPS:?where backups are kept}
keep=${BACKUP_KEEP:-14}
KEPT=3
every=
number() { # NAME VALUE
    case $2 in
    0* | *[!0-9]*)
        echo "backup: $1 must be a whole number above 0, not $2" >&2
        exit 2
        ;;
    esac
}
number BACKUP_KEEP "$keep"
case ${1:-} in
--every)
    every=${2:?seconds}
    number --every "$every"
    ;;
"") ;;
*)
    sed -n '2,8s/^# //p' "$0"
    exit 2
    ;;
esac

if [ -z "$every" ]; then
    mkdir -p "$folder"
    exec 9>"$folder/.lock"
    # The lock goes with the process, however that ends.
    flock --nonblock 9 || { echo "backup: another one is running; nothing was taken" >&2; exit 1; }
    part=$folder/.new.$$
    file=
    trap 'rm -f "$part"*; [ "$file" ] || echo "backup: it failed; nothing was kept" >&2' EXIT
    rm -f "$folder"/.new* # of one that was killed
    chmod go-rwx "$folder" "$folder"/* 2>/dev/null || : # those of before, too; another's stay
    # Dump and sums are of one moment: pg_dump uses the snapshot of the transaction that counts.
    NEW=$part SUMS=$here/sums.sql psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 >"$part.log" 2>&1 <<'EOF' ||
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SNAPSHOT :snapshot
\! pg_dump --format=custom --no-owner --snapshot="$SNAPSHOT" --file="$NEW" || rm -f "$NEW"
\getenv new NEW
\getenv sums SUMS
\o :new.sums
\i :sums
COMMIT;
EOF
        { tail -n 3 "$part.log" >&2; exit 1; }
    # pg_restore reads all of it, and writes nothing.
    if [ ! -s "$part" ] || ! pg_restore --file=/dev/null "$part"; then
        tail -n 3 "$part.log" >&2
        exit 1
    fi
    name=$folder/minitwit-$(date -u +%Y%m%dT%H%M%SZ).dump
    mv "$part.sums" "$name.sums"
    mv "$part" "$name" || { rm -f "$name.sums"; exit 1; }
    file=$name status=0
    bytes=$(wc -c <"$file")
    psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --command \
        "INSERT INTO backups (taken_at, bytes) VALUES (now(), $bytes)" || {
        echo "backup: it is kept, but not noted in the database: its age is shown too high" >&2
        status=$KEPT
    }
    # The folder may be a symlink; what an operator put into a folder in it or renamed is not ours.
    dumps() { find "$folder/" -maxdepth 1 -name 'minitwit-[0-9]*Z.dump' | sort -r; }
    # A clock that was ahead named these; as the newest they would push out this one.
    later=$(dumps | sed "\,/${name##*/}\$,,\$d" | tr '\n' ' ')
    [ -z "$later" ] || echo "backup: named later than this one, so kept and not counted: $later" >&2
    dumps | sed -n "\,/${name##*/}\$,,\$p" | tail -n "+$((keep + 1))" | (
        left=0
        while read -r old; do rm -f "$old" "$old.sums" || left=1; done
        exit "$left"
    ) || {
        echo "backup: it is kept, but an older one could not be removed" >&2
        status=$KEPT
    }
    [ -s "$file" ] || { echo "backup: $file was removed meanwhile" >&2; file=; exit 1; }
    echo "$file: $((bytes / 1024)) KiB"
    exit "$status"
fi

sleeper=
# Nothing stays behind: a supervisor waits for all that it started.
trap '[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null || :; exit 0' TERM INT
while :; do
    # In a shell of its own, where every step that fails ends it: `set -e` means nothing in an `if`.
    # After a failure sooner, so that a short outage does not cost a day; but not when one was kept:
    # one a minute would push out those of the days before.
    status=0
    sh "$0" || status=$?
    pause=$every
    if [ "$status" -ne 0 ] && [ "$status" -ne "$KEPT" ]; then
        echo "backup: again in a minute" >&2
        pause=60
    fi
    begun=$(date +%s)
    # In pieces: one that is killed leaves no long sleep. A clock that was set back to before the last
    # one cannot tell when the next is due: it is now.
    while now=$(date +%s) && [ "$now" -ge "$begun" ] && [ "$now" -lt "$((begun + pause))" ]; do
        sleep 5 &
        sleeper=$!
        wait "$sleeper"
    done
done
