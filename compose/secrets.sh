#!/usr/bin/env bash
# Makes your own secrets in compose/secrets/own, tells the database its new password, and recreates
# all containers with them. Run it again to rotate the secrets. The former cookie keys still verify,
# so nobody becomes a new voter. If you use overlays, name them in .env (COMPOSE_FILE) and not on the
# command line, so that this script knows them, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
own=compose/secrets/own

main() {
    if [ -n "${SECRETS-}" ]; then
        echo "secrets.sh: SECRETS is set in this shell and would hide the new ones: unset it first." >&2
        exit 1
    fi
    # The database must run, still with its old password, so that the password can be changed in it.
    docker compose up --detach --wait db
    fresh=$(mktemp -d "$own.XXXXXX")
    # Only you can open the folder. The files must be readable for the users in the containers.
    trap 'rm -rf "$fresh"' EXIT
    { secret; cat "$(chosen)/cookie_key"; } >"$fresh/cookie_key"
    secret >"$fresh/database_password"
    secret >"$fresh/redis_password"
    chmod 644 "$fresh"/*
    # Over its socket, the database asks for no password. The new one comes by standard input, because
    # everybody on the machine can read a command line.
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

# The folder that is in use. .env names it once this script has run.
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
