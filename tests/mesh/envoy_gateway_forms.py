"""The forms in which Envoy Gateway loads the token endpoint."""

import time

import yaml
from envoy_gateway import NAMESPACE, Proxy
from forms import MANIFESTS, Form
from http_client import Target
from lab import until

# Of the proxies themselves.
SERVICE = "gateway-proxy.envoy-gateway-system.svc.cluster.local"
# An EnvoyProxy has a status since Envoy Gateway 1.9 only.
POLICIES = ["envoyextensionpolicy", "securitypolicy", "clienttrafficpolicy"]
FINE = (200, 200, 401)


class ExtensionPolicy(Form):
    """Two plugins: the token endpoint, and the one that holds."""

    name = "envoy-gateway/envoy-extension-policy"
    plugin = ["envoy-extension-policy"]
    network = 40
    settling = 3
    after_guesses = 429
    service = "service"
    expected = {
        "running": FINE, "image missing, running": (500, 200, 401), "image missing, fresh": (500, 200, 401), "heals by itself": None,
        "bad configuration, running": FINE, "bad configuration, fresh": (503, 200, 401),
    }

    def __init__(self, control_plane, registry, keys, broken=None):
        names = ["envoy-proxy", "routes", *self.plugin, "services", "client-traffic-policy", "security-policy"]
        self.files = [f"gateway/{name}.yaml" for name in names]
        super().__init__(control_plane, registry, keys, broken)

    @staticmethod
    def configuration(documents):
        policy = next(document for document in documents if document["kind"] == "EnvoyExtensionPolicy")
        return policy["spec"]["wasm"][0]["config"]

    def start(self):
        variables = [f"--from-literal={name}={value}" for name, value in self.keys.environment.items()]
        if not self.proxies_exist():
            self.cluster.kubectl("-n", NAMESPACE, "create", "secret", "generic", "token-endpoint", *variables)
            self.cluster.kubectl("create", "configmap", "token-endpoint-jwks", f"--from-literal=jwks={self.keys.public}")
        self.apply()
        for kind in POLICIES:
            until(f"{kind} to be accepted", lambda kind=kind: self.is_accepted(kind), 60)
        self.proxies.append(Proxy(self, 0))
        self.lab.write_hosts(f"{self.proxies[0].address} {SERVICE}\n")
        self.proxies[0].start()
        self.wait()

    def proxies_exist(self):
        return "token-endpoint-jwks" in self.cluster.kubectl("get", "configmap", "-o", "name")

    def is_accepted(self, kind):
        status = self.cluster.get(kind, "token-endpoint").get("status", {})
        conditions = [condition for ancestor in status.get("ancestors", []) for condition in ancestor["conditions"]]
        return any(condition["type"] == "Accepted" and condition["status"] == "True" for condition in conditions)

    def restart(self, documents):
        """A control plane and a proxy that know nothing yet."""
        self.proxies[0].stop()
        self.control_plane.stop()
        self.apply(documents)
        self.control_plane.start()
        time.sleep(8)
        self.proxies[0].start()
        until("the public path to answer", lambda: self.target.get("/public/hello").status == 200, 60)

    def replica(self):
        self.proxies.append(Proxy(self, 1))
        self.proxies[1].start()
        return self.target_of(self.proxies[1])

    def share_state(self):
        """The store's cluster is one of the bootstrap, with which the proxies begin anew."""
        address = {"endpoint": {"address": {"socket_address": {"address": "10.88.0.1", "port_value": 12379}}}}
        cluster = {"name": "etcd", "type": "STATIC", "load_assignment": {"cluster_name": "etcd", "endpoints": [{"lb_endpoints": [address]}]}}
        self.documents = self.changed(lambda configuration: configuration.update(
            state={"retry_grace": "2s", "etcd": {"cluster": "etcd", "timeout": "1s"}}))
        proxy = next(document for document in self.documents if document["kind"] == "EnvoyProxy")
        bootstrap = yaml.safe_load(proxy["spec"]["bootstrap"]["value"])
        bootstrap["static_resources"]["clusters"].append(cluster)
        proxy["spec"]["bootstrap"]["value"] = yaml.safe_dump(bootstrap)
        self.apply()
        until("the new Deployment", lambda: "12379" in str(self.proxies[0].deployment()), 30)
        self.proxies[0].stop()
        self.proxies[0].start()
        self.wait()

    def fetch_keys(self):
        """The proxies' Service has the listener's port, since nothing maps 80 to it here."""
        text = (MANIFESTS / "gateway/security-policy-remote-keys.yaml").read_text()
        self.cluster.apply(text.replace(f"{SERVICE}/", f"{SERVICE}:8888/"))
        return True

    def end(self):
        for proxy in self.proxies:
            proxy.stop()
        self.cluster.delete(self.documents)

    def target_of(self, proxy):
        return Target(proxy.address, 8888)


class PatchPolicy(ExtensionPolicy):
    """One plugin, and a patch."""

    name = "envoy-gateway/envoy-patch-policy"
    plugin = ["envoy-patch-policy"]
    network = 41


FORMS = [ExtensionPolicy, PatchPolicy]
