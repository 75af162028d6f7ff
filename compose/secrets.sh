#!/usr/bin/env bash
# Makes secrets of your own in compose/secrets/own, tells the database its new password, and starts
# everything anew with them. Run it again to rotate them: the former cookie keys go on verifying,
# so nobody becomes a new voter. If you use overlays, name them in .env (COMPOSE_FILE), not on the
# command line, so that this script knows of them too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
own=compose/secrets/own

main() {
    if [ -n "${SECRETS-}" ]; then
        echo "secrets.sh: SECRETS is set in this shell and would hide the new ones: unset it first." >&2
        exit 1
    fi
    # The password is changed inside the database, which must run for that, still with the old one.
    docker compose up --detach --wait db
    fresh=$(mktemp -d "$own.XXXXXX")
    # The folder is closed to others; the files must be readable for the containers' own users.
    trap 'rm -rf "$fresh"' EXIT
    { secret; cat "$(chosen)/cookie_key"; } >"$fresh/cookie_key"
    secret >"$fresh/database_password"
    secret >"$fresh/redis_password"
    chmod 644 "$fresh"/*
    # Over its socket the database asks for no password; and a command line is no place for one.
    printf "ALTER ROLE urna PASSWORD '%s'\n" "$(cat "$fresh/database_password")" |
        docker compose exec -T db psql --quiet --set=ON_ERROR_STOP=1 --username=urna
    rm -rf "$own"
    mv "$fresh" "$own"
    choose
    docker compose up --detach --wait --force-recreate
    echo "Fresh secrets are in $own, and .env says so (SECRETS)."
    if grep -q '^demo-secret-' "$own/cookie_key"; then
        echo "The last line of cookie_key there is the demo key, for those who voted with it: delete it when they need not come back."
    fi
}

# The folder that is in use: .env names it, once this has run.
chosen() {
    local line
    line=$(grep -s '^SECRETS=' .env || echo 'SECRETS=compose/secrets/demo')
    echo "${line#SECRETS=}"
}

secret() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
    echo
}

choose() {
    { grep -sv '^SECRETS=' .env || true; echo "SECRETS=$own"; } >.env.new
    mv .env.new .env
}

main "$@"
