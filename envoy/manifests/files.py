"""The files, each with its template and what is its own."""

# Of a key pair whose private half nobody has: until yours stands there, no token is good.
PLACEHOLDER_KEYS = (
    '{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"not-yours-yet",'
    '"x":"H-ouPHdqbeEA4qcVJfoqsyfOqSZA2WFCRuOiA_G2Txc","y":"gt3cZNmuCzZqCq-eqyW2HBMMWpW4j7N_6jYhyadoj4E"}]}'
)

INGRESS_GATEWAY = {
    "PLACE": "on Istio's ingress gateway",
    "NAMESPACE": "istio-system",
    "WORKLOAD": "workloadSelector: {labels: {istio: ingressgateway}}",
    "SELECTOR": "selector: {matchLabels: {istio: ingressgateway}}",
    "MATCH": "",
    "CONTEXT": "GATEWAY",
    "VHOST": "gateway.example.com:443",
    "VHOST_COMMENT": """\
# The vhost is the host and the port of the Gateway's server, to the letter, and a VirtualService must be bound to it: without
# one Istio makes no such vhost.""",
}
SIDECAR = {
    "PLACE": "in a service's sidecar",
    "NAMESPACE": "default",
    "WORKLOAD": "workloadSelector: {labels: {app: api}}",
    "SELECTOR": "selector: {matchLabels: {app: api}}",
    "MATCH": "match: [{mode: SERVER, ports: [{number: 8080}]}]     # the pod's port; without it, calls to others are seen too",
    "CONTEXT": "SIDECAR_INBOUND",
    "VHOST": "inbound|http|80",
    "VHOST_COMMENT": "# The vhost has the port of the Service, not the pod's.",
    "CONFIGURATION": "@ADDRESS_LIMIT@\n@DOCUMENT@",
}
GATEWAY_API = {
    "PLACE": "on an Istio gateway of the Kubernetes Gateway API",
    "NAMESPACE": "default",
    "WORKLOAD": "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gateway}]",
    "SELECTOR": "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gateway}]",
    "MATCH": "",
    "CONTEXT": "GATEWAY",
    "VHOST": "gateway.example.com:80",
    "VHOST_COMMENT": "# The vhost is the host and the port of the Gateway's listener, to the letter.",
}
REMOTE_KEYS = {
    "KEYS": 'remoteJWKS: {uri: "http://gateway-proxy.envoy-gateway-system.svc.cluster.local/oauth2/jwks"}',
    "KEYS_COMMENT": """\
# Instead of security-policy.yaml: the proxies fetch the keys from their own Service, by the name that envoy-proxy.yaml gives it.
# The name must be among the hostnames of the HTTPRoute token-endpoint. Not with backendRefs: that takes a ReferenceGrant, and
# a policy that was applied before the Service was there stays Invalid.""",
}
LOCAL_KEYS = {
    "KEYS": 'localJWKS: {type: ValueRef, valueRef: {group: "", kind: ConfigMap, name: token-endpoint-jwks}}',
    "KEYS_COMMENT": """\
# The keys are in a ConfigMap; a rotation writes it again before the new key signs:
#   token-endpoint jwks signing-key.pem > jwks && kubectl create configmap token-endpoint-jwks --from-file=jwks""",
}


def istio(folder, environment, form):
    return {
        f"istio/{folder}/environment.yaml": (environment, form),
        f"istio/{folder}/envoy-filter.yaml": ("istio-envoy-filter", form),
        f"istio/{folder}/wasm-plugin.yaml": ("istio-wasm-plugin", form),
        f"istio/{folder}/pacing.yaml": ("istio-pacing", form),
        f"istio/{folder}/request-authentication.yaml": ("istio-request-authentication", form | {"PLACEHOLDER_KEYS": PLACEHOLDER_KEYS}),
        f"istio/{folder}/authorization-policy.yaml": ("istio-authorization-policy", form),
    }


FILES = {
    **istio("ingress-gateway", "istio-environment", INGRESS_GATEWAY),
    **istio("sidecar", "istio-sidecar-environment", SIDECAR),
    **istio("gateway-api", "istio-gateway-api-environment", GATEWAY_API),
    "gateway/envoy-proxy.yaml": ("gateway-envoy-proxy", {}),
    "gateway/routes.yaml": ("gateway-routes", {}),
    "gateway/envoy-extension-policy.yaml": ("gateway-envoy-extension-policy", {}),
    "gateway/envoy-patch-policy.yaml": ("gateway-envoy-patch-policy", {}),
    "gateway/services.yaml": ("gateway-services", {}),
    "gateway/client-traffic-policy.yaml": ("gateway-client-traffic-policy", {}),
    "gateway/security-policy.yaml": ("gateway-security-policy", LOCAL_KEYS),
    "gateway/security-policy-remote-keys.yaml": ("gateway-security-policy", REMOTE_KEYS),
}
