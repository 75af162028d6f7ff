#!/usr/bin/env bash
# Puts a copy of the ledger back that the component `backup` has made.
set -euo pipefail

main() {
    case "${1-}" in
        '') job; exit ;;
        -h | --help) usage; exit ;;
        -*) echo "restore.sh: there is no option '$1': see restore.sh --help." >&2; exit 2 ;;
    esac
    local replicas
    replicas=$(kubectl get deployment worker --output='jsonpath={.spec.replicas}')
    # An interrupted run may have left no worker.
    [ "$replicas" != 0 ] || replicas=1
    echo "Restoring $1 in context $(kubectl config current-context)."
    # The value is expanded now, because the local variable is gone by the time the trap runs.
    # shellcheck disable=SC2064
    trap "bring_workers_back $replicas" EXIT
    send_workers_away
    kubectl rollout status statefulset db --timeout=120s
    job "$1"
    trap - EXIT
    bring_workers_back "$replicas"
    kubectl rollout status deployment worker --timeout=120s
    kubectl exec deployment/worker -- /worker verify
}

usage() {
    cat <<'TEXT'
Usage:
  kubernetes/restore.sh          list the copies
  kubernetes/restore.sh COPY     put that copy in place of the whole ledger
  kubernetes/restore.sh --help   this text

The script works in kubectl's current context and namespace:
  kubectl config set-context --current --namespace=urna

A restore loses the votes that were counted after the copy was made, and no others: votes that still
wait in the queue are counted afterwards. /status says how many are missing.

The script stops the workers, restores the copy in one transaction, starts the workers again, and runs
`verify`. If the restore itself fails, the ledger stays as it was, and the workers start again. If
`verify` fails afterwards, the copy has already replaced the ledger.
TEXT
}

# Without workers nothing writes to the ledger. Meanwhile, votes wait in the queue.
send_workers_away() {
    # Pause KEDA first: it would start the workers again at once.
    if autoscaled; then
        kubectl annotate --overwrite scaledobject worker autoscaling.keda.sh/paused-replicas=0
    fi
    kubectl scale deployment worker --replicas=0
    kubectl wait pod --selector=app.kubernetes.io/name=worker --for=delete --timeout=60s
}

bring_workers_back() {
    kubectl scale deployment worker --replicas="$1"
    if autoscaled; then
        kubectl annotate scaledobject worker autoscaling.keda.sh/paused-replicas-
    fi
}

autoscaled() {
    kubectl get scaledobject worker >/dev/null 2>&1
}

# Runs the CronJob `restore` once, and prints what it says.
job() {
    local name
    name=restore-$(date +%s)
    kubectl create job "$name" --from=cronjob/restore --dry-run=client --output=yaml |
        kubectl set env --local --filename=- --output=yaml "COPY=${1-}" |
        kubectl create --filename=- >/dev/null
    # `kubectl wait` can wait for one condition only, and a failed Job never becomes Complete. So ask for both conditions.
    until kubectl get job "$name" --output='jsonpath={.status.conditions[*].type}' | grep -Eq 'Complete|Failed'; do
        kubectl wait job "$name" --for=condition=Complete --timeout=2s >/dev/null 2>&1 || true
    done
    kubectl logs "job/$name"
    kubectl get job "$name" --output='jsonpath={.status.conditions[*].type}' | grep -q Complete
}

main "$@"
