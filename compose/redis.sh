#!/bin/sh
# Starts Redis or Valkey in its container: `sh redis.sh redis-server`.

# The program keeps the descriptor, and so the lock, until it ends. Two programs that share a volume
# would destroy the votes, and neither would notice: each is process 1 of its container.
exec 9>/data/lock
flock -n 9 || {
    echo "Another $1 uses this volume, so this one does not start: end that deployment first." >&2
    exit 1
}

# The password comes by standard input, because everybody on the machine can read a command line.
exec "$1" - --dir /data --appendonly yes --appendfsync always --maxmemory-policy noeviction <<END
requirepass $(cat /run/secrets/redis_password)
END
