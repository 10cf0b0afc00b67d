#!/usr/bin/env bash
# Packs what is shipped: the binary of the `dist` profile, manual pages, completions, licence and the files of
# deploy/, into <target>/certwright-<version>-<system>.tar.gz with its SHA-256 beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-${CARGO_TARGET_DIR:-target}}
cargo=${CARGO:-cargo}
"$cargo" build --profile dist --locked -p certwright

binary=$target/dist/certwright
version=$("$binary" --version | cut -d ' ' -f 2)
name=certwright-$version-$(uname -m)-linux
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
root=$staging/$name

mkdir -p "$root"/{man,completions}
cp "$binary" LICENSE "$root/"
cp -r deploy "$root/"
for page in README.md CHANGELOG.md SECURITY.md; do
    if [[ -e $page ]]; then cp "$page" "$root/"; fi
done
"$binary" man "$root/man"
for shell in bash zsh fish; do
    "$binary" completions "$shell" >"$root/completions/certwright.$shell"
done

archive=$target/$name.tar.gz
# The same source gives the same archive: names sorted, and times and owners of no consequence.
epoch=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$staging" "$name" |
    gzip --no-name >"$archive"
(cd "$target" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$archive"
