#!/usr/bin/env bash
# Makes the pictures in this folder anew. They look as in the README with Inter as a font:
# apt-get install fonts-inter
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./test.sh setup
cargo build --bin urna
cargo test --quiet --test screenshots
