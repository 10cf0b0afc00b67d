#!/usr/bin/env bash
# Measures this machine's Certwright: ACME issuances on SQLite and on PostgreSQL, OCSP, the start, memory, the
# inventory (import, filtered pages, figures, and issuance beside a million certificates); and
# beside it, with the same driver, the ACME servers that are installed: Pebble and Caddy.
#
#   BENCH_SECONDS=20       how long each rate is measured
#   BENCH_ISSUANCES=100000 how many certificates the memory measurement issues; 0 leaves it out
#   BENCH_SOAK=600         how long the soak at 70 % of the measured peak takes
#   BENCH_ONLY="…"         some of: sqlite memory soak ocsp ready postgres pebble caddy (default: all but soak)
#   BENCH_DIR=…            keep data, logs and reports there instead of in a temporary directory
#
# Everything listens on loopback only. Other work on the machine spoils the figures.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${BENCH_SECONDS:-20}
issuances=${BENCH_ISSUANCES:-100000}
soak=${BENCH_SOAK:-600}
certificates=${BENCH_CERTIFICATES:-1000000}
only=${BENCH_ONLY:-sqlite memory ocsp ready postgres inventory pebble caddy}
work=${BENCH_DIR:-$(mktemp -d)}
mkdir -p "$work"
chmod 711 "$work"
bin=${CARGO_TARGET_DIR:-target}/release
url=https://localhost:18443
reports=()
started=()

say() { printf '\n== %s\n' "$*"; }
wanted() { [[ " $only " == *" $1 "* ]]; }

stop() { # PID
    kill "$1" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$1" 2>/dev/null || true
}

cleanup() {
    for pid in "${started[@]}"; do stop "$pid"; done
    [[ -n ${BENCH_DIR:-} ]] || rm -rf "$work"
}
trap cleanup EXIT

wait_for() { # URL PID
    for _ in $(seq 300); do
        curl --silent --insecure --fail --output /dev/null --max-time 2 "$1" && return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    echo "$1 does not answer; the server's log is in $work" >&2
    return 1
}

# One run of the driver. Its report joins the table at the end.
drive() { # LABEL ACCOUNTS DIRECTORY [OPTION…]
    local label=$1 accounts=$2 directory=$3
    local report="$work/$label-$accounts.json"
    shift 3
    if "$bin/certwright-bench" acme --label "$label" --accounts "$accounts" --directory "$directory" \
        --json "$report" "$@"; then
        reports+=("$report")
    else
        return 1
    fi
}

# --- Certwright ------------------------------------------------------------------------------------------------

serve() { # NAME DATABASE_URL
    data="$work/$1"
    mkdir -p "$data"
    cat >"$data/bench.toml" <<TOML
[server]
listen = "127.0.0.1:18443"
public_url = "$url"
data_dir = "$data"

[database]
url = "$2"

[validation]
http01_port = 5002
resolvers = ["127.0.0.1:8053"]
TOML
    "$bin/certwright" serve --config "$data/bench.toml" >>"$data/log" 2>&1 &
    server=$!
    started+=("$server")
    wait_for "$url/readyz" "$server"
}

certwright() { # LABEL ACCOUNTS [OPTION…]
    local label=$1 accounts=$2
    shift 2
    drive "$label" "$accounts" "$url/acme/default/directory" --ca "$data/root.pem" --pid "$server" "$@"
}

bench_ocsp() {
    openssl x509 -in "$data/chain.pem" -out "$data/leaf.pem"
    awk '/BEGIN CERTIFICATE/ { n++ } n == 2' "$data/chain.pem" >"$data/issuer.pem"
    "$bin/certwright-bench" ocsp --url "$(openssl x509 -in "$data/leaf.pem" -noout -ocsp_uri)" \
        --ca "$data/root.pem" --issuer-cert "$data/issuer.pem" --cert "$data/leaf.pem" --pid "$server"
}

# Little load, then 70 % of the peak for a long time: p99 and memory of the two are what there is to compare.
bench_soak() {
    local peak
    peak=$(sed -n 's/.*"flows_per_s": *\([0-9.]*\).*/\1/p' "$work/sqlite-32.json" | head -1)
    say "Soak at 70 % of $peak flows/s for $soak s"
    certwright sqlite-idle 1 --rate 5 --duration "$seconds" --max-failures 0
    certwright sqlite-soak 32 --rate "$(awk -v peak="$peak" 'BEGIN { print 0.7 * peak }')" --duration "$soak" \
        --max-failures 0
}

bench_sqlite() {
    say "Certwright on SQLite"
    serve sqlite "sqlite://$work/sqlite/certwright.db"
    certwright sqlite 1 --duration "$seconds"
    certwright sqlite 32 --duration "$seconds" --save-chain "$data/chain.pem"
    if wanted ocsp; then
        say "OCSP"
        bench_ocsp
    fi
    if wanted memory && ((issuances > 0)); then
        say "Memory over $issuances issuances"
        stop "$server"
        serve sqlite "sqlite://$work/sqlite/certwright.db"
        certwright "sqlite-memory" 32 --count "$issuances"
    fi
    if wanted soak; then bench_soak; fi
    stop "$server"
    if wanted ready; then
        say "Warm start"
        "$bin/certwright-bench" ready --url "$url/readyz" --ca "$data/root.pem" -- \
            "$bin/certwright" serve --config "$data/bench.toml"
    fi
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root: then its own user runs it.
as_postgres() {
    if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi
}

# Starts a cluster of its own; 1 if PostgreSQL is not installed.
start_postgres() {
    local cluster="$work/cluster"
    tools=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
    if [[ -z $tools ]]; then
        say "PostgreSQL is not installed: left out"
        return 1
    fi
    if [[ ! -d $cluster ]]; then
        mkdir -p "$cluster"
        if ((EUID == 0)); then chown postgres "$cluster"; fi
        as_postgres "$tools/initdb" -D "$cluster" --username postgres --auth trust --encoding UTF8 >"$work/initdb.log"
    fi
    as_postgres "$tools/postgres" -D "$cluster" -k "$cluster" -c listen_addresses=127.0.0.1 -c port=15432 \
        >>"$work/postgres.log" 2>&1 &
    started+=($!)
    for _ in $(seq 100); do
        "$tools/pg_isready" --quiet -h 127.0.0.1 -p 15432 && break
        sleep 0.1
    done
    "$tools/createdb" -h 127.0.0.1 -p 15432 -U postgres "$1"
    postmaster=$(head -1 "$cluster/postmaster.pid")
}

bench_postgres() {
    start_postgres certwright || return 0
    say "Certwright on PostgreSQL"
    serve postgres "postgres://postgres@127.0.0.1:15432/certwright"
    certwright postgres 1 --duration "$seconds" --pid "$postmaster"
    certwright postgres 32 --duration "$seconds" --pid "$postmaster"
    stop "$server"
    stop "$postmaster"
}

# --- Inventory -------------------------------------------------------------------------------------------------

# The same flow on an empty database and beside the filled one, one after the other: only their ratio says
# what a million certificates cost an issuance.
beside() { # ENGINE EMPTY_URL FILLED_URL [OPTION…]
    local engine=$1 empty=$2 filled=$3
    shift 3
    serve "$engine-empty" "$empty"
    certwright "$engine-empty" 32 --duration "$seconds" "$@"
    stop "$server"
    serve "$engine-filled" "$filled"
    certwright "$engine-filled" 32 --duration "$seconds" "$@"
    stop "$server"
}

bench_inventory() {
    say "Inventory of $certificates certificates on SQLite"
    "$bin/examples/inventory" "sqlite://$work/inventory.db" "$certificates"
    beside inventory-sqlite "sqlite://$work/empty.db" "sqlite://$work/inventory.db"
    start_postgres inventory || return 0
    say "Inventory of $certificates certificates on PostgreSQL"
    "$tools/createdb" -h 127.0.0.1 -p 15432 -U postgres empty
    local at=postgres://postgres@127.0.0.1:15432
    "$bin/examples/inventory" "$at/inventory" "$certificates"
    beside inventory-postgres "$at/empty" "$at/inventory" --pid "$postmaster"
    stop "$postmaster"
}

# --- Peers -----------------------------------------------------------------------------------------------------

start_pebble() {
    PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
        pebble -config "$work/pebble.json" -dnsserver 127.0.0.1:8053 >"$work/pebble.log" 2>&1 &
    server=$!
    started+=("$server")
    wait_for https://localhost:14000/dir "$server"
}

bench_pebble() {
    if ! command -v pebble >/dev/null; then
        say "Pebble is not installed: left out"
        return
    fi
    say "Pebble: in memory, validation on, no sleeps, no refused nonces"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
        -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost \
        -keyout "$work/pebble.key" -out "$work/pebble.pem" 2>/dev/null
    cat >"$work/pebble.json" <<JSON
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
  "certificate": "$work/pebble.pem", "privateKey": "$work/pebble.key", "httpPort": 5002, "tlsPort": 5001}}
JSON
    # Pebble can lock up when orders and validations meet (letsencrypt/pebble#554 describes one such path): each
    # number of accounts gets some attempts with a fresh process, and the highest one that it survives counts.
    local accounts
    for accounts in 1 32 16 8 4 2; do
        if pebble_survives "$accounts" && ((accounts > 1)); then return; fi
    done
}

pebble_survives() { # ACCOUNTS
    local outcome
    for _ in 1 2 3; do
        start_pebble
        outcome=0
        # Short, because Pebble searches all its authorizations for every order and slows down as they gather.
        drive pebble "$1" https://localhost:14000/dir --ca "$work/pebble.pem" --pid "$server" --warmup 1 \
            --duration "$((seconds < 10 ? seconds : 10))" --patience 5 --max-failures 0 \
            >"$work/pebble-run.log" 2>&1 || outcome=1
        stop "$server"
        if ((outcome == 0)); then
            cat "$work/pebble-run.log"
            return 0
        fi
        echo "with $1 account(s) it stopped answering"
    done
    return 1
}

bench_caddy() {
    if ! command -v caddy >/dev/null; then
        say "Caddy is not installed: left out"
        return
    fi
    # Its validator knows neither another port than 80 nor another resolver than the system's.
    if ((EUID != 0)) || ! unshare --mount true 2>/dev/null; then
        say "Caddy needs port 80 and a resolv.conf of its own, hence root: left out"
        return
    fi
    say "Caddy's acme_server"
    echo "nameserver 127.0.0.1" >"$work/resolv.conf"
    cat >"$work/Caddyfile" <<CADDY
{
	admin off
	storage file_system $work/caddy
	skip_install_trust
	auto_https disable_redirects
	http_port 19080
}
https://localhost:19443 {
	tls internal
	acme_server
}
CADDY
    HOME=$work unshare --mount sh -c \
        "mount --bind '$work/resolv.conf' /etc/resolv.conf && exec caddy run --config '$work/Caddyfile' --adapter caddyfile" \
        >/dev/null 2>&1 &
    server=$!
    started+=("$server")
    wait_for https://localhost:19443/acme/local/directory "$server"
    local accounts
    for accounts in 1 32; do
        drive caddy "$accounts" https://localhost:19443/acme/local/directory --duration "$seconds" --pid "$server" \
            --ca "$work/caddy/pki/authorities/local/root.crt" \
            --http-listen 127.0.0.1:80 --dns-listen 127.0.0.1:53 || true
    done
    stop "$server"
}

say "Building"
packages=(-p certwright-bench)
if wanted sqlite || wanted postgres || wanted inventory; then packages+=(-p certwright); fi
cargo build --release --locked "${packages[@]}"
if wanted inventory; then cargo build --release --locked -p certwright-store --example inventory; fi
if wanted sqlite; then bench_sqlite; fi
if wanted postgres; then bench_postgres; fi
if wanted inventory; then bench_inventory; fi
if wanted pebble; then bench_pebble; fi
if wanted caddy; then bench_caddy; fi
if ((${#reports[@]} > 0)); then
    say "All runs"
    "$bin/certwright-bench" compare "${reports[@]}"
fi
