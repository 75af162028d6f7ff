# shellcheck shell=bash
# The tests of the labs. ./test.sh sources this file, and defines the functions that it calls, such as `step`.

# Checks every lab's file, and plays today's lab of each platform that is here. `./test.sh labs` plays all of them.
test_todays_labs() {
    local status=0
    test_written_labs || status=$?
    export URNA_TEST_LABS=today
    if docker_answers; then
        if [ -n "${URNA_TEST_CONTEXT-}" ]; then
            play_labs every_lab_in every_lab_on || status=$?
        else
            play_labs every_lab_in_docker every_lab_on_a_swarm || status=$?
            heading "URNA_TEST_CONTEXT names no cluster, so no lab is played on Kubernetes"
            echo "test result: skipped. 0 passed; 0 failed; 1 ignored"
        fi
    else
        skip "Docker does not answer, so no lab is played" "tokio::test" tests/labs/played.rs
    fi
    return "$status"
}

test_labs() {
    local status=0
    test_written_labs || status=$?
    step docker compose --profile '*' build
    # Only lab 1 needs this image. Compiled now, it slows down no lab that is played beside it.
    step docker build --output=type=cacheonly --target urna .
    load_images
    (($# > 0)) || set -- every_lab_in every_lab_on
    play_labs "$@" || status=$?
    return "$status"
}

test_written_labs() {
    fetch_from_pypi shellcheck
    step target/shellcheck/bin/shellcheck lab labs/vote tests/labs/debian/kubectl tests/labs/steps.sh
    heading cargo test --test labs --locked
    cargo test --test labs --locked --no-fail-fast -- --skip every_lab_in --skip every_lab_on
}

play_labs() {
    heading cargo test --test labs --locked "$@"
    # Three threads, because of two, Docker and the swarm, which wait for each other, could take both.
    RUST_TEST_THREADS=3 cargo test --test labs --locked --no-fail-fast -- --nocapture "$@"
}
