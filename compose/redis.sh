#!/bin/sh
# Starts Redis or Valkey in its container: `sh redis.sh redis-server`.

# The program keeps the descriptor, and so the lock, until it ends. Two programs that share a volume
# would destroy the votes, and neither would notice: each is process 1 of its container.
exec 9>/data/lock
flock -n 9 || {
    echo "Another $1 uses this volume, so this one does not start: end that deployment first." >&2
    exit 1
}

password() {
    cat "/run/secrets/$1"
}

# Every service announces itself, lists the replicas and looks how many votes wait.
every="+client|setinfo +time +evalsha +script|load +xlen +xrange +xpending ~urna:replicas +hset +hgetall +hdel"

# Each service has the rights for its work and no more, so a stolen login of vote has no command that
# deletes votes. (Redis cannot forbid it to trim the queue, because XADD has an option for that.)
# The default user may do everything, and is for people.
# All of this comes by standard input, because everybody on the machine can read a command line.
exec "$1" - --dir /data --appendonly yes --appendfsync always --maxmemory-policy noeviction <<END
requirepass $(password redis_password)
user vote on >$(password vote_redis_password) $every ~urna:votes ~urna:epoch %R~urna:dead +xadd +xrevrange +hget +hmget +hsetnx +hincrby +multi +exec +config|get (~urna:probe +setex) (~urna:labels +hsetnx +hmget)
user worker on >$(password worker_redis_password) $every ~urna:* +xreadgroup +xgroup|create +xgroup|delconsumer +xautoclaim +xclaim +xack +xdel +xadd +multi +exec +get +set +hmget +lpush +ltrim
user result on >$(password result_redis_password) $every %R~urna:votes %R~urna:dead %R~urna:setbacks +lrange ~urna:history +get +set
END
