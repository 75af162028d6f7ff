#!/usr/bin/env bash
# Makes the pictures in this folder again. To make them look as they do now, install the font Inter:
# apt-get install fonts-inter
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./test.sh setup
cargo build --workspace --bins
cargo test --quiet --test screenshots
