#!/usr/bin/env bash
# Tests the promise under faults: breaks every part of Urna in every way while voters vote.
#   ./faults.sh                     every fault once, some minutes
#   ./faults.sh --rounds 30         every fault thirty times: an hour
#   ./faults.sh --soak 10m          random combinations
#   ./faults.sh --only redis/kill   one of them
#   ./faults.sh --list              the names of all
#   ./faults.sh --kubernetes        the faults of a cluster, on the one that URNA_TEST_CONTEXT names
#   ./faults.sh --help              all options
# It starts its own Redis and PostgreSQL, and compiles a library for wrong clocks and full disks. So
# it needs redis-server, PostgreSQL 15 or newer and a C compiler. `./test.sh setup` installs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# For these, a debug build is enough, because a release build takes minutes.
case "${1-}" in
    --kubernetes) exec ./test.sh kubernetes every_fault ;;
    --help | -h | --list) exec cargo test --quiet --test faults --locked -- "$1" ;;
esac
cargo build --release --workspace --bins --locked
cargo test --release --test faults --locked -- "$@"
