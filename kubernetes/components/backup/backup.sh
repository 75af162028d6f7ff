#!/bin/sh
# Writes a copy of the ledger, makes sure that it can be read, and deletes all but the last seven.
set -eu
. /etc/urna/connect.sh
# Only one backup runs at a time, even if somebody starts another one by hand.
exec 9>/backups/lock
flock 9
copy=/backups/urna-$(date -u +%Y%m%d-%H%M%S).dump
# An interrupted run may have left an unfinished copy.
rm -f /backups/*.part
pg_dump --host=db --username=urna --format=custom --file="$copy.part" urna
pg_restore --list "$copy.part" >/dev/null
# The copy gets its final name only once it is on the disk. So a crash of the node leaves no empty file of that name.
sync "$copy.part"
mv "$copy.part" "$copy"
find /backups -name 'urna-*.dump' | sort -r | tail -n +8 | xargs -r rm
echo "$copy has $(wc -c <"$copy") bytes."
