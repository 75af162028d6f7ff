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
# The worker gives the readers their rights again when it connects.
pg_restore --host=db --username=urna --dbname=urna --clean --if-exists --no-owner --no-privileges \
    --single-transaction --exit-on-error "$COPY"
echo "The ledger is that of $COPY."
