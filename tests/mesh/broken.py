"""Ways of breaking a manifest, each of which a run must notice: `python3 tests/mesh --broken NAME`."""

import dataclasses


@dataclasses.dataclass
class Broken:
    form: str
    file: str
    old: str
    new: str
    # The story that tells, or `start`: the form is refused, or never answers.
    story: str

    def edited(self, text):
        assert self.old in text, f"{self.file} has no {self.old}"
        return text.replace(self.old, self.new)


INGRESS, SIDECAR = "istio/ingress-gateway", "istio/sidecar"

BROKEN = {
    "untyped-route": Broken(
        "ingress-gateway/envoy-filter", f"{INGRESS}/envoy-filter.yaml",
        'config: {"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}', "config: {}", "start"),
    "streams-of-envoy": Broken(
        "ingress-gateway/envoy-filter", f"{INGRESS}/envoy-filter.yaml", "max_concurrent_streams: 100", "max_concurrent_streams: 1024", "streams"),
    "headers-not-held": Broken(
        "sidecar/envoy-filter", f"{SIDECAR}/envoy-filter.yaml", "allow_on_headers_stop_iteration: true", "allow_on_headers_stop_iteration: false", "login"),
    "open-prefix": Broken(
        "ingress-gateway/envoy-filter", f"{INGRESS}/authorization-policy.yaml", "notPaths: [/public/hello", "notPaths: [/public/*", "spellings"),
    "named-paths": Broken(
        "sidecar/envoy-filter", f"{SIDECAR}/authorization-policy.yaml", "notPaths: [/public/hello", "paths: [/api/*", "spellings"),
    "any-audience": Broken(
        "ingress-gateway/envoy-filter", f"{INGRESS}/request-authentication.yaml", "    audiences: [TENANT_CLIENT_ID, SPA_CLIENT_ID]\n", "", "tokens"),
    "no-scope": Broken(
        "ingress-gateway/envoy-filter", f"{INGRESS}/authorization-policy.yaml", "notValues: [openid]", "values: [nothing]", "tokens"),
    "caller-believed": Broken(
        "ingress-gateway/envoy-filter", f"{INGRESS}/request-authentication.yaml", "    outputClaimToHeaders: [{header: x-user-id, claim: sub}]\n", "",
        "caller_header"),
    "holder-first": Broken(
        "sidecar/wasm-plugin", f"{SIDECAR}/wasm-plugin.yaml", "priority: 10", "priority: 30", "login"),
    "fail-open": Broken(
        "sidecar/wasm-plugin", f"{SIDECAR}/wasm-plugin.yaml", "failStrategy: FAIL_RELOAD", "failStrategy: FAIL_OPEN", "image_missing_while_running"),
    "addresses-counted": Broken(
        "sidecar/envoy-filter", f"{SIDECAR}/envoy-filter.yaml", "attempt_limits: {address: {failures: 1000000}}", "attempt_limits: {}", "forged_address"),
    "no-pacing": Broken(
        "gateway-api/envoy-filter", "istio/gateway-api/envoy-filter.yaml", "server_listener_name: pacing", "server_listener_name: nobody", "pacing"),
    "key-inline": Broken(
        "gateway-api/wasm-plugin", "istio/gateway-api/wasm-plugin.yaml", "{name: TOKEN_ENDPOINT_REFRESH_TOKEN_KEY, valueFrom: HOST}",
        '{name: TOKEN_ENDPOINT_REFRESH_TOKEN_KEY, value: "@REFRESH_KEY@"}', "no_keys_told"),
    "open-to-users": Broken(
        "envoy-gateway/envoy-extension-policy", "gateway/security-policy.yaml", "claims: [{name: groups, valueType: StringArray, values: [admins]}]",
        "claims: [{name: groups, valueType: StringArray, values: [staff]}]", "groups"),
    "header-kept": Broken(
        "envoy-gateway/envoy-extension-policy", "gateway/client-traffic-policy.yaml", "  headers: {earlyRequestHeaders: {remove: [x-user-id]}}\n", "",
        "caller_header"),
}
