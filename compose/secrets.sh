#!/usr/bin/env bash
# Makes your own secrets in compose/secrets/own, tells the database its new password, and recreates
# all containers with them. Run it again to rotate the secrets. The former cookie keys still verify,
# so nobody becomes a new voter. If you use overlays, name them in .env (COMPOSE_FILE) and not on the
# command line, so that this script knows them, too.
#
# It may die at any line. Then run it again: it goes on with the fresh secrets that it has made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
own=compose/secrets/own
# The fresh secrets, from the moment that all of them are written until all containers use them.
next=compose/secrets/own.next
passwords="database_password reader_password
    redis_password vote_redis_password worker_redis_password result_redis_password"

main() {
    local name
    if [ -n "${SECRETS-}" ]; then
        echo "secrets.sh: SECRETS is set in this shell and would hide the new ones: unset it first." >&2
        exit 1
    fi
    # The database must run so that its password can be changed in it.
    docker compose up --detach --wait db
    [ -d "$next" ] || prepare
    tell_database
    take cookie_key.verify cookie_key
    for name in $passwords; do
        take "$name" "$name"
    done
    choose
    # Two replicas may overlap. So no replica signs with the new cookie key before all can verify it.
    docker compose up --detach --wait --force-recreate
    take cookie_key.sign cookie_key
    docker compose up --detach --wait --force-recreate --no-deps vote
    rmdir "$next"
    echo "Fresh secrets are in $own, and .env says so (SECRETS)."
    if grep -q '^demo-secret-' "$own/cookie_key"; then
        echo "The last line of cookie_key there is the demo key, for those who voted with it: delete it when they need not come back."
    fi
}

# Writes fresh secrets into a draft. Once it is complete, it becomes $next in one step.
prepare() {
    local draft=$own.draft key name
    rm -rf "$draft"
    # Only you can open the folder. The files must be readable for the users in the containers.
    mkdir -p -m 700 "$own" "$draft"
    key=$(secret)
    # grep ends every line with a line break, even if the last one of the file has none.
    { grep . "$(chosen)/cookie_key"; echo "$key"; } >"$draft/cookie_key.verify"
    { echo "$key"; grep . "$(chosen)/cookie_key"; } >"$draft/cookie_key.sign"
    for name in $passwords; do
        secret >"$draft/$name"
    done
    chmod 644 "$draft"/*
    mv "$draft" "$next"
}

# Over its socket, the database asks for no password. The new one comes by standard input, because
# everybody on the machine can read a command line.
tell_database() {
    local password=$next/database_password
    [ -f "$password" ] || password=$own/database_password
    printf "ALTER ROLE urna PASSWORD '%s'\n" "$(cat "$password")" |
        docker compose exec -T db psql --quiet --set=ON_ERROR_STOP=1 --username=urna
}

# Moves a fresh secret into use, unless an interrupted run has done so.
take() {
    [ ! -f "$next/$1" ] || mv "$next/$1" "$own/$2"
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
