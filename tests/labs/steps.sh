# shellcheck shell=bash
# The tests of the labs. ./test.sh sources this file, and defines the functions that it calls, such as `step`.

# Checks every lab's file, and plays today's lab of each platform that is here. `./test.sh labs` plays all of them.
test_todays_labs() {
    local status=0
    test_written_labs || status=$?
    export URNA_TEST_LABS=today
    if docker_answers; then
        play_labs docker swarm || status=$?
        [ -z "${URNA_TEST_CONTEXT-}" ] || play_labs kubernetes || status=$?
    else
        skip "Docker does not answer, so no lab is played" "tokio::test" tests/labs/played.rs
    fi
    return "$status"
}

test_labs() {
    local status=0
    test_written_labs || status=$?
    step docker compose --profile '*' build
    load_images
    play_labs "${@:-played}" || status=$?
    return "$status"
}

test_written_labs() {
    fetch_from_pypi shellcheck
    step target/shellcheck/bin/shellcheck lab labs/vote tests/labs/debian/kubectl tests/labs/steps.sh
    heading cargo test --test labs --locked written
    cargo test --test labs --locked --no-fail-fast written
}

# One after the other, because all labs take the same ports.
play_labs() {
    heading cargo test --test labs --locked "$@"
    cargo test --test labs --locked --no-fail-fast -- --test-threads=1 --nocapture "$@"
}
