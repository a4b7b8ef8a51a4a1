"""The forms in which Istio loads the token endpoint."""

from forms import MANIFESTS, Form, read
from http_client import Target
from istio import Proxy
from lab import Failed, until

FINE = (200, 200, 403)


class IstioForm(Form):
    """A form with Istio's documents and proxies."""

    plugin = "envoy-filter"
    service = "service"
    settling = 3
    after_guesses = 429
    # What a login, a public path and a secured one without a token answer while something is missing.
    expected = {
        "running": FINE, "image missing, running": FINE, "image missing, fresh": (500, 200, 403), "heals by itself": False,
        "bad configuration, running": FINE, "bad configuration, fresh": (500, 200, 403),
    }

    def __init__(self, control_plane, registry, keys, broken=None):
        names = [self.plugin, *(["pacing"] if self.plugin == "wasm-plugin" else []), "request-authentication", "authorization-policy"]
        self.files = [f"istio/{self.folder}/{name}.yaml" for name in names]
        super().__init__(control_plane, registry, keys, broken)

    @staticmethod
    def configuration(documents):
        for document in documents:
            if document["kind"] == "WasmPlugin" and "hold" not in document["spec"]["pluginConfig"]:
                return document["spec"]["pluginConfig"]
            for patch in document.get("spec", {}).get("configPatches", []):
                if patch["applyTo"] == "EXTENSION_CONFIG":
                    return patch["patch"]["value"]["typed_config"]["config"]["configuration"]["value"]
        raise Failed("no token endpoint in the manifests")

    def start(self):
        self.apply()
        self.check_environment()
        self.proxies.append(self.proxy(0))
        self.proxies[0].start()
        self.wait()

    def check_environment(self):
        """The proxies' container has the keys in its environment, as environment.yaml says."""
        deployment = until("the Deployment", self.deployment)
        container = next(container for container in containers(deployment) if container["name"] == "istio-proxy")
        from_secret = {variable["name"] for variable in container["env"] if "secretKeyRef" in variable.get("valueFrom", {})}
        if not set(self.keys.environment) <= from_secret:
            raise Failed(f"in the environment: {from_secret}")

    def patched(self, namespace, name):
        """A Deployment with environment.yaml as its patch."""
        file = MANIFESTS / f"istio/{self.folder}/environment.yaml"
        self.cluster.kubectl("-n", namespace, "patch", "deployment", name, "--patch-file", file)
        return self.cluster.get("-n", namespace, "deployment", name)

    def restart(self, documents):
        """A proxy that has never run, with these documents in the cluster."""
        self.proxies[0].stop()
        self.apply(documents)
        self.proxies[0].start()

    def replica(self):
        """A second proxy of the same kind."""
        self.proxies.append(self.proxy(1))
        self.proxies[1].start()
        return self.target_of(self.proxies[1])

    def share_state(self):
        etcd = {"cluster": "outbound|2379||etcd.storage.svc.cluster.local", "authority": "etcd.storage.svc.cluster.local:2379"}
        self.documents = self.changed(lambda configuration: share(configuration, etcd))
        self.apply()

    def end(self):
        for proxy in self.proxies:
            proxy.end()
        self.cluster.delete(self.documents)


def containers(deployment):
    """Native sidecars are init containers."""
    spec = deployment["spec"]["template"]["spec"]
    return spec["containers"] + spec.get("initContainers", [])


def share(configuration, etcd):
    configuration["state"] = {"retry_grace": "2s", "etcd": etcd | {"timeout": "1s"}}


class IngressGateway(IstioForm):
    name = "ingress-gateway/envoy-filter"
    folder = "ingress-gateway"
    network = 10

    def deployment(self):
        return self.patched("istio-system", "istio-ingressgateway")

    def proxy(self, number):
        labels = {"istio": "ingressgateway", "app": "istio-ingressgateway"}
        ports = {"status-port": 15021, "http2": 8080, "https": 8443}
        return Proxy(self, "istio-system", number, "router", "istio-ingressgateway-service-account", labels,
                     "istio-ingressgateway", ports)

    def target_of(self, proxy):
        return Target(proxy.address, 8443, str(self.control_plane.authority))


class GatewayApi(IstioForm):
    name = "gateway-api/envoy-filter"
    folder = "gateway-api"
    network = 20

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.documents += read(MANIFESTS / "istio/gateway-api/environment.yaml")

    def deployment(self):
        """istiod makes it, and merges what the Gateway's parameters say."""
        return self.cluster.get("deployment", "gateway-istio")

    def proxy(self, number):
        labels = {"gateway.networking.k8s.io/gateway-name": "gateway", "gateway.networking.k8s.io/gateway-class-name": "istio",
                  "gateway.istio.io/managed": "istio.io-gateway-controller"}
        return Proxy(self, "default", number, "router", "gateway-istio", labels, "gateway-istio", {"status-port": 15021, "http": 80})

    def target_of(self, proxy):
        return Target(proxy.address, 80)


class Sidecar(IstioForm):
    """Its proxy counts no addresses: it believes who says that he is another."""

    name = "sidecar/envoy-filter"
    folder = "sidecar"
    network = 30
    after_guesses = 400
    service = "service-beside"

    def deployment(self):
        return self.control_plane.injected(self.patched("default", "api"))

    def proxy(self, number):
        labels = {"app": "api", "service.istio.io/canonical-name": "api"}
        proxy = Proxy(self, "default", number, "sidecar", "default", labels, "api", {"http": 8080})
        if number == 0:
            self.control_plane.serve(self.service, proxy.name, proxy.address)
        return proxy

    def target_of(self, proxy):
        return Target(proxy.address, 8080)


class WithWasmPlugin:
    """The other way to load it: all that stands behind the proxy is closed while the image is away."""

    plugin = "wasm-plugin"
    expected = IstioForm.expected | {
        "image missing, running": (403, 403, 403), "image missing, fresh": (403, 403, 403), "bad configuration, fresh": (500, 500, 500),
    }


class IngressGatewayWasmPlugin(WithWasmPlugin, IngressGateway):
    name = "ingress-gateway/wasm-plugin"
    network = 11


class GatewayApiWasmPlugin(WithWasmPlugin, GatewayApi):
    name = "gateway-api/wasm-plugin"
    network = 21


class SidecarWasmPlugin(WithWasmPlugin, Sidecar):
    name = "sidecar/wasm-plugin"
    network = 31
    service = "service-beside-2"


FORMS = [IngressGateway, IngressGatewayWasmPlugin, Sidecar, SidecarWasmPlugin, GatewayApi, GatewayApiWasmPlugin]
