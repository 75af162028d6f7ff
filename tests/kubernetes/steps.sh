# shellcheck shell=bash
# The tests of Kubernetes. ./test.sh sources this file, and defines the functions that it calls, such as `step`.

# Tests the manifests, and plays one round on the cluster if URNA_TEST_CONTEXT names one. `./test.sh kubernetes` takes
# much longer.
test_kubernetes() {
    local status=0
    if ! have kubectl || ! have go || ! have python3; then
        skip "Without kubectl, Go and python3 the tests of Kubernetes are skipped" "test" tests/kubernetes/*.rs
    elif [ -z "${URNA_TEST_CONTEXT-}" ]; then
        test_manifests || status=$?
        skip "URNA_TEST_CONTEXT names no cluster, so the tests on a cluster are skipped" "tokio::test" tests/kubernetes/*.rs
    else
        require_cluster
        test_manifests || status=$?
        load_images
        heading cargo test --test kubernetes --locked round
        cargo test --test kubernetes --locked --no-fail-fast round -- --nocapture || status=$?
    fi
    return "$status"
}

test_manifests() {
    fetch_from_pypi kubernetes-validate
    # kube-score looks for mistakes in manifests. Go keeps what it has compiled, so this takes long only the first time.
    step env GOBIN="$PWD/target/kube-score" go install github.com/zegl/kube-score/cmd/kube-score@v1.20.0
    heading cargo test --test kubernetes --locked manifests
    cargo test --test kubernetes --locked --no-fail-fast manifests
}

test_cluster() {
    local status=0
    test_manifests || status=$?
    step docker compose --profile '*' build
    load_images
    heading cargo test --test kubernetes --locked --no-fail-fast "$@"
    cargo test --test kubernetes --locked --no-fail-fast "$@" -- --skip manifests --nocapture || status=$?
    return "$status"
}

require_cluster() {
    local name
    [ -n "${URNA_TEST_CONTEXT-}" ] || die "URNA_TEST_CONTEXT names no cluster: see ./test.sh --help."
    for name in docker kubectl go python3 openssl curl; do
        have "$name" || die "$name is missing, and the tests on a cluster need it."
    done
    kubectl --context="$URNA_TEST_CONTEXT" get nodes >/dev/null ||
        die "The cluster of the context '$URNA_TEST_CONTEXT' does not answer."
}

load_images() {
    step docker tag urna-vote:latest urna-vote-next:latest
    # No quotes, because the command may have arguments of its own.
    # shellcheck disable=SC2086
    step ${URNA_TEST_LOAD:?names the command that brings images to the cluster} \
        urna-vote:latest urna-vote-next:latest urna-worker:latest urna-result:latest urna-load-test:latest \
        redis:8-alpine postgres:18-alpine prom/prometheus:latest
}
