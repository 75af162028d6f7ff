# The other scripts read this file. It sets the password of the ledger, and waits until the ledger answers.
PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD
# The first connections of a new pod may be refused, until every node knows the network policies for that pod.
for _ in $(seq 60); do
    ! pg_isready --quiet --host=db || break
    sleep 1
done
