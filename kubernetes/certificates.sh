#!/usr/bin/env bash
# Makes the certificate of the component `tls`, signed by an authority of your own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
own=own-certificates
# Apple accepts up to 398 days from public authorities, and up to 825 days from an authority of your own. This is short
# enough for both.
days=397

main() {
    case "${1-}" in
        -h | --help) usage; exit ;;
        -*) echo "certificates.sh: there is no option '$1': see certificates.sh --help." >&2; exit 2 ;;
    esac
    (($# > 0)) || set -- vote.localhost result.localhost
    umask 077
    mkdir -p "$own"
    [ -f "$own/authority.crt" ] || make_authority
    make_certificate "$@"
    # The ingress controller watches the Secret, so nothing has to be restarted.
    kubectl create secret tls urna-tls --cert="$own/urna.crt" --key="$own/urna.key" \
        --dry-run=client --output=yaml | kubectl apply --filename=-
    echo "The certificate for $* is valid for $days days. Browsers trust it once you have imported" \
        "kubernetes/$own/authority.crt as an authority."
}

usage() {
    cat <<'TEXT'
Usage:
  kubernetes/certificates.sh [HOST...]   make a certificate for these hosts, or a fresh one
  kubernetes/certificates.sh --help      this text

Without hosts, the script takes vote.localhost and result.localhost. It makes an authority once, in
kubernetes/own-certificates, and puts the certificate into the Secret urna-tls of kubectl's current
context and namespace. Run the script again to renew the certificate. No pod restarts, and browsers that
trust the authority accept the new certificate at once.
TEXT
}

make_authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj '/CN=Urna: an authority of your own' -addext 'keyUsage=critical,keyCertSign' \
        -keyout "$own/authority.key" -out "$own/authority.crt"
}

make_certificate() {
    local names
    names=$(printf 'DNS:%s,' "$@")
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$own/urna.key" -out "$own/urna.csr"
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names%,}" >"$own/urna.ext"
    openssl x509 -req -in "$own/urna.csr" -CA "$own/authority.crt" -CAkey "$own/authority.key" \
        -set_serial "0x$(openssl rand -hex 16)" -days "$days" -extfile "$own/urna.ext" \
        -out "$own/urna.crt"
}

main "$@"
