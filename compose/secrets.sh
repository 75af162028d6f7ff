#!/usr/bin/env bash
# Makes secrets of your own in compose/secrets/own, tells the database its new password, and starts
# everything anew with them. Run it again to rotate them: the former cookie key goes on verifying,
# so nobody becomes a new voter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
own=compose/secrets/own

main() {
    # A password is changed inside the database, which must run for that, still with the old one.
    docker compose up --detach --wait db
    local former
    former=$(head -n 1 "${SECRETS:-$(chosen)}/cookie_key")
    write_fresh "$former"
    # Over the socket the database asks for no password.
    docker compose exec -T db psql --quiet --username=urna \
        --command="ALTER ROLE urna PASSWORD '$(cat "$own/database_password")'"
    choose
    docker compose up --detach --wait --force-recreate
    echo "Fresh secrets are in $own, and .env says so (SECRETS)."
}

# The folder that is in use: .env names it, once this has run.
chosen() {
    local line
    line=$(grep -s '^SECRETS=' .env || echo 'SECRETS=compose/secrets/demo')
    echo "${line#SECRETS=}"
}

# The folder is closed to others; the files must be readable for the numeric users in the containers.
write_fresh() {
    mkdir -p "$own"
    chmod 700 "$own"
    printf '%s\n%s\n' "$(fresh)" "$1" >"$own/cookie_key"
    fresh >"$own/database_password"
    fresh >"$own/redis_password"
    chmod 644 "$own"/*
}

fresh() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
    echo
}

choose() {
    touch .env
    sed -i.former '/^SECRETS=/d' .env
    rm .env.former
    echo "SECRETS=$own" >>.env
}

main "$@"
