#!/bin/sh
# Does this machine reach GitHub Copilot through copilot-recorder? Step by step, and what is missing.
#
#   curl -fsS http://ADDRESS/check.sh | sh
#   curl -fsS http://ADDRESS/check.sh | PROXY_USER=name PROXY_PASSWORD=secret sh
#   curl -fsS http://ADDRESS/check.sh | sh -s -- http://name:secret@ADDRESS https://host/path
#
# Changes nothing. Needs curl. Ends with 0 when nothing is missing, else with 1.
set -eu

address=@ADDRESS@
fingerprint=@FINGERPRINT@
asks=@ASKS@
missing=0

good() { printf 'ok       %s\n' "$1"; }
note() { printf 'note     %s\n' "$1"; }
lack() {
    printf 'MISSING  %s\n' "$1"
    missing=$((missing + 1))
}
todo() { printf '         -> %s\n' "$1"; }

# A value for curl's configuration: credentials stand in no command line, which others on the machine can read.
quoted() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; }

# curl without the user's own settings and environment, as given in its configuration on stdin; then $1... Prints the
# three numbers: answer to CONNECT, answer, and curl's own result.
ask() {
    env -u HTTPS_PROXY -u https_proxy -u HTTP_PROXY -u http_proxy -u ALL_PROXY -u all_proxy -u NO_PROXY -u no_proxy \
        curl -q -s -o /dev/null --connect-timeout 15 --max-time 30 -w '%{http_connect} %{http_code}' "$@" -K - || code=$?
    printf ' %s' "${code:-0}"
}

# The tunnel to $url through the proxy; $1... go to curl.
through() {
    ask "$@" <<END
url = "$(quoted "$url")"
proxy = "$(quoted "$proxy")"
${login}
END
}

find_credentials() {
    login=
    if [ -n "${PROXY_USER:-}" ]; then
        login="proxy-user = \"$(quoted "$PROXY_USER:${PROXY_PASSWORD:-}")\""
        [ -n "${PROXY_PASSWORD:-}" ] || note 'PROXY_PASSWORD is empty: clients send nothing for a name without a password'
    fi
    proxy=${1:-}
    if [ -z "$proxy" ]; then
        proxy="http://$address"
        # What clients on this machine use, if it leads here and nothing else was said.
        case ${HTTPS_PROXY:-${https_proxy:-}} in
        *"@$address" | *"@$address/") [ -n "$login" ] || proxy=${HTTPS_PROXY:-$https_proxy} ;;
        esac
    fi
    case $proxy in
    http://*) ;;
    https://*)
        lack 'the address of the proxy begins with https://, and clients cannot speak TLS to a proxy'
        todo 'write http://'
        proxy=http://${proxy#https://}
        ;;
    *) proxy=http://$proxy ;;
    esac
}

check_proxy() {
    body=$(env -u HTTP_PROXY -u http_proxy curl -q -sS --noproxy '*' --connect-timeout 10 --max-time 15 \
        "http://$address/healthz" 2>&1 </dev/null) || true
    if [ "$body" = ok ]; then
        good "the proxy answers at $address"
        return 0
    fi
    lack "the proxy does not answer at $address: $body"
    todo 'is it running, is the port right, does a firewall or a VPN lie between? Inside WSL or a container 127.0.0.1 is'
    todo 'another machine: the proxy must then listen on an address that can be reached, and be named with --advertise'
    return 1
}

fetch_ca() {
    ca=$folder/ca.pem
    if ! env -u HTTP_PROXY -u http_proxy curl -q -fsS --noproxy '*' --max-time 15 -o "$ca" \
        "http://$address/ca.pem" </dev/null 2>/dev/null; then
        lack 'the CA cannot be fetched from the proxy'
        return 1
    fi
    if ! command -v openssl >/dev/null 2>&1; then
        note "compare the CA's fingerprint yourself when you install it: $fingerprint"
        return 0
    fi
    found=$(openssl x509 -in "$ca" -noout -fingerprint -sha256 2>/dev/null </dev/null) || found=
    if [ "${found#*=}" = "$fingerprint" ]; then
        good 'the CA is the one that this check was made for'
        return 0
    fi
    lack "the CA that came is another: ${found#*=}"
    todo 'fetch this check again; if that does not help, somebody stands between this machine and the proxy'
    return 1
}

check_tunnel() {
    # shellcheck disable=SC2046 # three numbers
    set -- $(through --cacert "$ca")
    case $1 in
    200) good "a tunnel to $host is opened" ;;
    407)
        if [ -z "$login" ] && [ "$proxy" = "http://$address" ]; then
            lack 'the proxy asks for name and password, and this check has none'
            todo 'run it again with PROXY_USER=name PROXY_PASSWORD=password before sh'
        else
            lack 'name or password are wrong (407)'
            todo 'copilot-recorder users check NAME tells; in an address @ : / % are written %40 %3A %2F %25'
        fi
        return 1
        ;;
    403)
        lack "the proxy's policy refuses $host (403)"
        todo 'its operator can allow it: --intercept for a host of Copilot, --allow-port for a port'
        return 1
        ;;
    502 | 504)
        lack "the proxy cannot reach $host ($1)"
        todo 'the page Health and the log of the proxy say why: name server, firewall, or a company proxy (--upstream-proxy)'
        return 1
        ;;
    503)
        lack 'the proxy takes no tunnels now (503): too many are open, its disk is full, or it is being stopped'
        return 1
        ;;
    *)
        lack "no answer to CONNECT (curl: $3)"
        todo 'is something else listening there?'
        return 1
        ;;
    esac
    if [ "$asks" = yes ]; then good 'name and password are accepted'; fi
    case $3 in
    0) good "$host answers through the proxy ($2), with a certificate of our CA" ;;
    60)
        lack "what answers as $host has no certificate of our CA"
        todo 'the host is not opened by the proxy, or another proxy intercepts on the way'
        return 1
        ;;
    *)
        lack "$host does not answer through the tunnel (curl: $3)"
        todo 'the page Health and the log of the proxy say why; a certificate that is not valid needs --upstream-ca'
        return 1
        ;;
    esac
}

check_trust() {
    # shellcheck disable=SC2046 # three numbers
    set -- $(through)
    case $3 in
    0) good "programs that use the system's store trust the CA (as curl does)" ;;
    *)
        lack "the CA is not in the store that curl uses: programs on this system do not trust it"
        todo "fetch it: curl -fsS -o copilot-recorder-ca.pem http://$address/ca.pem"
        case $(uname -s) in
        Darwin)
            todo 'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain copilot-recorder-ca.pem'
            ;;
        *)
            if [ -d /etc/pki/ca-trust/source/anchors ]; then
                todo 'sudo cp copilot-recorder-ca.pem /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust'
            else
                todo 'sudo cp copilot-recorder-ca.pem /usr/local/share/ca-certificates/copilot-recorder.crt'
                todo 'sudo update-ca-certificates'
            fi
            ;;
        esac
        ;;
    esac
    for name in SSL_CERT_FILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE; do
        eval "value=\${$name:-}"
        [ -z "$value" ] || note "$name is set: programs that read it use that file in place of the system's store"
    done
}

check_node() {
    file=${NODE_EXTRA_CA_CERTS:-}
    if [ -z "$file" ]; then
        lack 'NODE_EXTRA_CA_CERTS is not set here: language servers and the Copilot CLI may not trust the CA'
        todo 'export NODE_EXTRA_CA_CERTS=/absolute/path/copilot-recorder-ca.pem before the editor starts'
        return 0
    fi
    case $file in
    /*) ;;
    *)
        lack "NODE_EXTRA_CA_CERTS is not an absolute path: $file"
        todo 'Node ignores a path that it does not find, and reads ~ as a name'
        return 0
        ;;
    esac
    if [ ! -r "$file" ]; then
        lack "NODE_EXTRA_CA_CERTS names a file that cannot be read: $file"
        todo 'Node ignores it without a word'
        return 0
    fi
    # shellcheck disable=SC2046 # three numbers
    set -- $(through --cacert "$file")
    if [ "$3" = 0 ]; then
        good 'NODE_EXTRA_CA_CERTS names a file with the CA'
    else
        lack "NODE_EXTRA_CA_CERTS names a file without this CA: $file"
        todo 'put the CA into it (it may hold several), and start the editor again'
    fi
}

check_environment() {
    used=
    for name in HTTPS_PROXY https_proxy HTTP_PROXY http_proxy; do
        eval "value=\${$name:-}"
        if [ -n "$value" ] && [ -z "$used" ]; then
            used=$name
            case $value in
            https://*)
                lack "$name begins with https://, and clients cannot speak TLS to a proxy"
                todo 'write http://'
                ;;
            *"@$address" | *"@$address/" | "http://$address" | "http://$address/" | "$address")
                good "$name leads to the proxy"
                case ${value#*://} in
                *:*@*) ;;
                *@*) lack "$name has a name without a password: clients then send nothing" ;;
                *) [ "$asks" = no ] || note "$name has no name and password: programs that wait to be asked work, others do not" ;;
                esac
                ;;
            *) note "$name leads to another proxy: programs that read it go around this one" ;;
            esac
        fi
    done
    [ -n "$used" ] || note 'no proxy is named in the environment: editors need it in their settings, the Copilot CLI here'
    for name in NO_PROXY no_proxy; do
        eval "value=\${$name:-}"
        case ,$value, in
        *githubcopilot.com* | *,\*,* | *copilot-proxy*)
            lack "$name leaves Copilot's hosts out: $value"
            todo 'programs that read it go around the proxy'
            ;;
        esac
    done
}

main() {
    if ! command -v curl >/dev/null 2>&1; then
        lack 'curl is not installed: this check needs it'
        exit 1
    fi
    url=${2:-https://api.githubcopilot.com/_ping}
    host=${url#*://}
    host=${host%%/*}
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 1' HUP INT TERM
    find_credentials "${1:-}"
    if check_proxy && fetch_ca && check_tunnel; then
        check_trust
        check_node
    fi
    check_environment
    if [ "$missing" -eq 0 ]; then
        printf '\nNothing is missing on this machine. Editors have settings of their own: see the page Set-up.\n'
    else
        printf '\n%s missing. The page Set-up and docs/clients.md say more.\n' "$missing"
        exit 1
    fi
}

# The last line, so that a script that was cut on its way does nothing.
main "$@"
