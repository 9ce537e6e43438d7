# shellcheck shell=sh
# Tells PostgreSQL's programs where the database is, without a password in any command line.
export PGHOST="${DATABASE_ADDRESS%:*}" PGPORT="${DATABASE_ADDRESS##*:}" PGAPPNAME=backup
[ -z "${PGUSER_FILE:-}" ] || PGUSER=$(cat "$PGUSER_FILE")
PGPASSWORD=$(cat "${PGPASSWORD_FILE:?the file with the password}")
export PGUSER PGPASSWORD
