#!/usr/bin/env bash
# The promise under faults: breaks every part of Urna in every way while voters vote.
#   ./faults.sh                     every fault once, some minutes
#   ./faults.sh --rounds 30         every fault thirty times: an hour
#   ./faults.sh --soak 10m          random combinations
#   ./faults.sh --only redis/kill   one of them
#   ./faults.sh --list              the names of all
#   ./faults.sh --help              everything it takes
# It starts its own Redis and PostgreSQL, and compiles a library for wrong clocks and full disks:
# redis-server, PostgreSQL 15 or newer and a C compiler must be here. `./test.sh setup` installs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A question is answered by whatever build there is; a release takes minutes.
case "${1-}" in
    --help | -h | --list) exec cargo test --quiet --test faults --locked -- "$1" ;;
esac
cargo build --release --workspace --bins --locked
cargo test --release --test faults --locked -- "$@"
