#!/usr/bin/env bash
# Measures Urna against the limit of this machine, and writes docs/benchmarks.md with its pictures: some ten minutes.
#   ./bench.sh                                  everything
#   ./bench.sh votes|embedded|ledger|screens|memory|hostile ...  only these parts; of the files, only pictures are written
# It starts its own Redis and PostgreSQL, which `./test.sh setup` installs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Ten thousand viewers take twice as many open files.
ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
cargo build --release --workspace --bins --locked
cargo test --release --test bench --locked -- "$@"
