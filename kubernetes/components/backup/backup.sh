#!/bin/sh
# Writes a copy of the ledger, makes sure that it can be read, and deletes all but the last seven.
set -eu
. /etc/urna/connect.sh
# One at a time, also if somebody starts another one by hand.
exec 9>/backups/lock
flock 9
copy=/backups/urna-$(date -u +%Y%m%d-%H%M%S).dump
# Copies that an interrupted run left unfinished.
rm -f /backups/*.part
pg_dump --host=db --username=urna --format=custom --file="$copy.part" urna
pg_restore --list "$copy.part" >/dev/null
# After a crash of the node, the name must not stand for an empty file.
sync "$copy.part"
mv "$copy.part" "$copy"
find /backups -name 'urna-*.dump' | sort -r | tail -n +8 | xargs -r rm
echo "$copy has $(wc -c <"$copy") bytes."
