# Read by the other scripts: the ledger's password, and a ledger that answers.
PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD
# A new pod's first connections may be refused, until every node knows the network policies for it.
for _ in $(seq 60); do
    ! pg_isready --quiet --host=db || break
    sleep 1
done
