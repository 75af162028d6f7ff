#!/bin/sh
# Puts a copy back in place of the whole ledger, or changes nothing. Without a COPY it lists the copies.
set -eu
cd /backups
if [ -z "${COPY-}" ]; then
    find . -name 'urna-*.dump' | sed 's,^\./,,' | sort
    exit
fi
[ -f "$COPY" ] || { echo "There is no copy '$COPY'." >&2; exit 1; }
. /etc/urna/connect.sh
# The whole schema is dropped, also what a later release has added to it: that release adds it again. The copy becomes SQL
# before anything changes, so a copy that is cut short changes nothing. The worker gives the readers their rights when it
# connects.
trap 'rm -f restore.sql' EXIT
pg_restore --no-owner --no-privileges --file=restore.sql "$COPY"
{
    echo 'DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner;'
    cat restore.sql
} | psql --host=db --username=urna --dbname=urna --quiet --output=/dev/null --single-transaction --set=ON_ERROR_STOP=1
echo "The ledger is that of $COPY."
