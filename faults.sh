#!/usr/bin/env bash
# The promise under faults: breaks every part of Urna in every way while voters vote. `./faults.sh --help` explains.
#   ./faults.sh                     every fault once
#   ./faults.sh --rounds 30         every fault thirty times: an hour
#   ./faults.sh --soak 10m          random combinations
#   ./faults.sh --only redis/kill   one of them
# It starts its own Redis and PostgreSQL, which `./test.sh setup` installs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cargo build --release --workspace --bins --locked
cargo test --release --test faults --locked -- "$@"
