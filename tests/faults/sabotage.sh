#!/usr/bin/env bash
# Proves that faults.sh sees a broken promise: breaks a copy of Urna in six ways, each of which
# loses or miscounts votes only now and then, and demands that each is caught. Some ten minutes.
#   tests/faults/sabotage.sh                      all six
#   tests/faults/sabotage.sh order-of-arrival     one of them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Some are caught in the first round, and some in the tenth.
readonly ROUNDS=40 SEED=1
readonly FOLDER=$PWD/target/sabotage
readonly LOGS=$FOLDER/logs

survived=0

main() {
    command -v patch >/dev/null || { echo "sabotage.sh: the program patch is missing: install it" >&2 && exit 1; }
    readonly CHOSEN=${1-}
    mkdir -p "$LOGS"
    printf '| sabotage | struck with | promise | after rounds |\n| --- | --- | --- | ---: |\n' >"$LOGS/table"
    copy_the_tree
    # Unharmed, they break nothing.
    strike nothing kept postgres/pause+worker/kill
    strike acknowledge-before-commit broken postgres/pause+worker/kill
    strike redis-syncs-every-second broken redis/slow-disk-kill --appendfsync everysec
    strike totals-without-the-former-choice broken postgres/pause
    strike order-of-arrival broken vote/redis/cut-requests
    strike reads-without-acknowledgement broken postgres/pause+worker/kill
    strike an-answer-for-the-whole-group broken redis/slow-disk
    cat "$LOGS/table"
    exit "$survived"
}

copy_the_tree() {
    rm -rf "$FOLDER/tree"
    mkdir -p "$FOLDER/tree"
    git ls-files -z | xargs -0 cp --parents --target-directory="$FOLDER/tree"
}

# Breaks the copy, strikes it with a fault until the promise is broken, and mends it.
strike() {
    local name=$1 expected=$2 fault=$3 log=$LOGS/$1.log promise=kept rounds
    local patch=$PWD/tests/faults/sabotage/$name.patch
    shift 3
    [ -z "$CHOSEN" ] || [ "$CHOSEN" = "$name" ] || return 0
    echo "== $name"
    [ ! -f "$patch" ] || patch --directory="$FOLDER/tree" --strip=1 --quiet <"$patch"
    build
    in_the_copy cargo test --test faults --locked -- \
        --only "$fault" --rounds "$ROUNDS" --seed "$SEED" --first "$@" 2>&1 | tee "$log" || true
    [ ! -f "$patch" ] || patch --directory="$FOLDER/tree" --strip=1 --quiet --reverse <"$patch"
    # A service that does not come back would be caught, too, and proves nothing here.
    ! grep -qE 'and (nothing|what) is counted|worker verify says' "$log" || promise=broken
    grep -q '^test result:' "$log" || promise=unknown
    [ "$promise" = "$expected" ] || survived=1
    rounds=$(sed '/^ *[0-9]*  BROKEN/q' "$log" | grep -cE '^ *[0-9]+  (ok|BROKEN)')
    printf '| %s | %s | %s | %s |\n' "$name" "$fault" "$promise" "$rounds" >>"$LOGS/table"
}

build() {
    in_the_copy cargo build --workspace --bins --locked
    in_the_copy cargo test --test faults --locked --no-run
}

in_the_copy() {
    (cd "$FOLDER/tree" && CARGO_TARGET_DIR=$FOLDER/built "$@")
}

main "$@"
