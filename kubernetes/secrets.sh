#!/usr/bin/env bash
# Makes your own secrets, and deploys Urna with them. Run it again to rotate them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
own=own-secrets
# The fresh secrets, from the moment that all of them are written until all pods use them.
next=own-secrets.next
passwords="database_password reader_password
    redis_password vote_redis_password worker_redis_password result_redis_password"

main() {
    case "${1-}" in
        -h | --help) usage; exit ;;
        -*) echo "secrets.sh: there is no option '$1': see secrets.sh --help." >&2; exit 2 ;;
    esac
    local overlay=${1-} name
    begin
    case "$overlay" in
        '') overlay=$(default_overlay) ;;
        /*) ;;
        *) overlay=$OLDPWD/$overlay ;;
    esac
    grep -q own-secrets "$overlay/kustomization.yaml" || {
        echo "secrets.sh: list ../../own-secrets in $overlay/kustomization.yaml, in place of demo-secrets." >&2
        exit 1
    }
    kubectl kustomize "$overlay" >/dev/null
    echo "Fresh secrets for context $(kubectl config current-context)."
    [ -d "$next" ] || prepare
    tell_database
    take cookie_key.verify cookie_key
    for name in $passwords; do
        take "$name" "$name"
    done
    # During a deploy, old and new replicas run side by side. So no replica signs with the new cookie key before all
    # replicas can verify it.
    deploy "$overlay"
    take cookie_key.sign cookie_key
    deploy "$overlay"
    rmdir "$next"
    echo "Fresh secrets are in kubernetes/$own. From now on, deploy with: kubectl apply -k $overlay"
    if grep -q '^demo-secret-' "$own/cookie_key"; then
        echo "The last line of kubernetes/$own/cookie_key is the demo key. With it, earlier voters stay the same voters," \
            "but anybody can forge a cookie. When you do not need it, delete the line and deploy again."
    fi
}

usage() {
    cat <<'TEXT'
Usage:
  kubernetes/secrets.sh            make or rotate the secrets, and deploy kubernetes/overlays/own
  kubernetes/secrets.sh OVERLAY    the same with a kustomization of yours
  kubernetes/secrets.sh --help     this text

The secrets are in kubernetes/own-secrets, a component that replaces components/demo-secrets: list it
in your OVERLAY first. Without an OVERLAY, the script makes kubernetes/overlays/own, to which you add
the components that you want.
The script works in kubectl's current context and namespace:
  kubectl config set-context --current --namespace=urna

The former cookie keys still verify, so nobody becomes a new voter. While Redis restarts with its new
passwords, votes are refused as Not recorded. If this script is interrupted, run it again: it continues
with the secrets that it has already made.
TEXT
}

# At first, your own secrets are a copy of the demo secrets, so that earlier voters stay the same voters.
begin() {
    # Only you can read the secrets here.
    umask 077
    if ! [ -d "$own" ]; then
        rm -rf "$own.first"
        cp -R components/demo-secrets "$own.first"
        mv "$own.first" "$own"
    fi
}

# Makes a kustomization with your own secrets and no other component. Prints its path.
default_overlay() {
    local overlay=overlays/own
    if ! [ -f "$overlay/kustomization.yaml" ]; then
        mkdir -p "$overlay"
        cat >"$overlay/kustomization.yaml" <<'TEXT'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
components: [../../own-secrets]
TEXT
    fi
    echo "$PWD/$overlay"
}

# Writes fresh secrets into a draft. Once it is complete, it becomes $next in one step.
prepare() {
    local draft=$own.draft key name
    rm -rf "$draft"
    mkdir "$draft"
    key=$(secret)
    # grep ends every line with a line break, even if the last one of the file has none.
    { grep . "$own/cookie_key"; echo "$key"; } >"$draft/cookie_key.verify"
    { echo "$key"; grep . "$own/cookie_key"; } >"$draft/cookie_key.sign"
    for name in $passwords; do
        secret >"$draft/$name"
    done
    mv "$draft" "$next"
}

# Over its socket, the database asks for no password. The new password comes by standard input, because
# everybody on the machine can read a command line.
tell_database() {
    local password=$next/database_password
    [ -f "$password" ] || password=$own/database_password
    [ -n "$(kubectl get statefulset db --ignore-not-found --output=name)" ] || return 0
    kubectl rollout status statefulset db --timeout=300s
    printf "ALTER ROLE urna PASSWORD '%s'\n" "$(cat "$password")" |
        kubectl exec --stdin db-0 -- psql --quiet --set=ON_ERROR_STOP=1 --username=urna
}

# Moves a fresh secret into use, unless an interrupted run has done so.
take() {
    [ ! -f "$next/$1" ] || mv "$next/$1" "$own/$2"
}

deploy() {
    local workload
    kubectl apply -k "$1"
    # If this deploy has started the database, its volume may still have an older password.
    tell_database
    for workload in statefulset/redis statefulset/db deployment/vote deployment/worker deployment/result; do
        # With the component `own-stores`, there is neither `redis` nor `db`.
        [ -z "$(kubectl get "$workload" --ignore-not-found --output=name)" ] ||
            kubectl rollout status "$workload" --timeout=300s
    done
}

secret() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
    echo
}

main "$@"
