#!/usr/bin/env bash
# Installs what the tests run beside cargo: on Debian 12, into the system what only works there (PostgreSQL,
# SoftHSM, …), and everything else into <target>/test-tools. Run again when all is there, it takes a second.
#
#   scripts/install-test-tools.sh [TARGET_DIRECTORY]     default: $CARGO_TARGET_DIR or ./target
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-${CARGO_TARGET_DIR:-target}}
mkdir -p "$target"
tools=$(cd "$target" && pwd)/test-tools
mkdir -p "$tools/bin"

# What has to be there                     the Debian package that brings it
system=(
    cc                                     build-essential
    openssl                                openssl
    curl                                   curl
    softhsm2-util                          softhsm2
    pki                                    strongswan-pki
    /usr/lib/ipsec/plugins/libstrongswan-openssl.so libstrongswan-standard-plugins
    /usr/lib/ipsec/plugins/libstrongswan-curl.so libstrongswan-extra-plugins
    /usr/lib/softhsm/libsofthsm2.so        libsofthsm2
    '/usr/lib/postgresql/*/bin/initdb'     postgresql
    chromium                               chromium
    swtpm                                  swtpm
    tpm2_createek                          tpm2-tools
    '/usr/lib/*/libtss2-tcti-swtpm.so.0'   libtss2-tcti-swtpm0
)
# Programs that are one file. Their packages would start services or need root, so only the file is taken.
single=(
    lego                                   lego
    caddy                                  caddy
    pebble                                 pebble
    pebble-challtestsrv                    pebble
    scepclient                             scep
    scepserver                             scep
)

# A log collector with its libraries: installed, it would take over the system's own log.
collector=(rsyslog rsyslog-gnutls libestr0 libfastjson4 liblognorm5)
# A name server that takes dynamic updates; installed, it would answer for the whole machine.
nameserver=(bind9 bind9-libs libfstrm0 libjemalloc2 libjson-c5 liblmdb0 libmaxminddb0 libnghttp2-14 libprotobuf-c1 libuv1 libxml2)

# A client of SCEP whose daemon would join the machine's message bus if it were installed.
monitor=(certmonger libtalloc2 libtevent0 libpopt0 libdbus-1-3 libnss3 libnspr4 libjansson4)

# A KDC, which would be the machine's own if it were installed, and what verifies its tickets. All of one version.
kerberos=(krb5-kdc krb5-admin-server libkadm5srv-mit12 libkdb5-10 libgssrpc4 libss2 libverto1 libverto-libev1 libev4
    libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 python3-gssapi python3-decorator)

say() { printf 'test tools: %s\n' "$*"; }

has() { # COMMAND_OR_PATTERN
    case $1 in
        /*) compgen -G "$1" >/dev/null ;;
        *) [[ -x $tools/bin/$1 ]] || command -v "$1" >/dev/null ;;
    esac
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "needs root or sudo for: $*" >&2
        return 1
    fi
}

# The list of packages is fetched once, and only when something is missing.
updated=
apt_update() {
    [[ -z $updated ]] || return 0
    command -v apt-get >/dev/null || {
        say "this script knows Debian's apt-get only; please install by hand: $*" >&2
        return 1
    }
    as_root apt-get update -qq
    updated=yes
}

missing() { # LIST… as pairs; prints the packages that are missing
    while (($#)); do
        has "$1" || echo "$2"
        shift 2
    done | sort -u
}

install_system() {
    local packages
    mapfile -t packages < <(missing "${system[@]}")
    # A venv can exist without pip; only making one shows it.
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
    ((${#packages[@]})) || return 0
    say "installing ${packages[*]}"
    apt_update "${packages[@]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

install_single() {
    local packages package scratch
    mapfile -t packages < <(missing "${single[@]}")
    ((${#packages[@]})) || return 0
    say "unpacking ${packages[*]}"
    apt_update "${packages[@]}"
    scratch=$(mktemp -d)
    for package in "${packages[@]}"; do
        (cd "$scratch" && apt-get download -qq -o APT::Sandbox::User=root "$package")
        dpkg-deb -x "$scratch/${package}"_*.deb "$scratch"
    done
    cp "$scratch"/usr/bin/* "$tools/bin/"
    rm -rf "$scratch"
}

install_unpacked() { # FOLDER PROGRAM PACKAGES…
    local folder=$1 program=$2 package scratch
    shift 2
    [[ -x $tools/$folder/$program ]] && return 0
    say "unpacking $*"
    apt_update "$@"
    scratch=$(mktemp -d)
    for package in "$@"; do
        (cd "$scratch" && apt-get download -qq -o APT::Sandbox::User=root "$package")
        dpkg-deb -x "$scratch/${package}"_*.deb "$scratch/$folder"
    done
    rm -rf "${tools:?}/$folder"
    cp -r "$scratch/$folder" "$tools/$folder"
    rm -rf "$scratch"
}

install_python() {
    local wanted=scripts/test-requirements.txt
    cmp -s "$wanted" "$tools/venv/installed.txt" && "$tools/venv/bin/python" -c '' 2>/dev/null && return 0
    say "installing Python tools into $tools/venv"
    rm -rf "$tools/venv"
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$tools/venv/installed.txt"
}

install_npm() {
    local wanted=scripts/interop-npm/package-lock.json
    cmp -s "$wanted" "$tools/npm/installed.json" && return 0
    say "installing clients and servers from npm into $tools/npm"
    rm -rf "$tools/npm"
    mkdir -p "$tools/npm"
    cp scripts/interop-npm/package.json "$wanted" "$tools/npm/"
    npm --prefix "$tools/npm" ci --silent --no-audit --no-fund
    cp "$wanted" "$tools/npm/installed.json"
}

install_system
install_single
install_unpacked rsyslog usr/sbin/rsyslogd "${collector[@]}"
install_unpacked bind usr/sbin/named "${nameserver[@]}"
install_unpacked certmonger usr/bin/getcert "${monitor[@]}"
install_unpacked kerberos usr/sbin/krb5kdc "${kerberos[@]}"
install_python
install_npm
say "ready in $tools"
