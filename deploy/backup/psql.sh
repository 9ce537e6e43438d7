#!/bin/sh
# Opens psql on the database, or on another that is named, or runs what it is given on its input.
# The environment is that of restore.sh: the user is the owner.
set -eu
# shellcheck source=deploy/backup/connection.sh
. "$(dirname "$0")/connection.sh"
export PGAPPNAME=psql
exec psql --no-psqlrc "$@"
