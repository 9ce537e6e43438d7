# shellcheck shell=sh
# Tells PostgreSQL's programs where the database is, without a password in any command line.
export PGHOST="${DATABASE_ADDRESS%:*}" PGPORT="${DATABASE_ADDRESS##*:}" PGAPPNAME=backup
# Dumps and sums mean the same from every shell. Of its options only the timeouts stay.
timeouts=$(printf %s "${PGOPTIONS:-}" | grep -oE '[a-z_]+_timeout=[0-9a-z]+' | sed 's/^/-c /' | tr '\n' ' ')
export PGOPTIONS="${timeouts}-c search_path=public" PGCLIENTENCODING=UTF8 PGTZ=UTC PGDATESTYLE=ISO
unset PGHOSTADDR
[ -z "${PGUSER_FILE:-}" ] || PGUSER=$(cat "$PGUSER_FILE")
PGPASSWORD=$(cat "${PGPASSWORD_FILE:?the file with the password}")
export PGUSER PGPASSWORD
