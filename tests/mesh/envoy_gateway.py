"""Envoy Gateway, and its proxies as their Deployment has them."""

import base64
import os
import pathlib
import shutil
import sys

from build import ENVOY_GATEWAY, ROOT, TOOLS, module
from istio import SERVICE, binary, endpoints
from lab import run, until

HERE = pathlib.Path(__file__).resolve().parent
NAMESPACE = "envoy-gateway-system"
# Where the programs look for files; each process has folders of its own there.
FIXED = [pathlib.Path("/certs"), pathlib.Path("/sds")]
CONFIGURATION = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
# Without a kubelet nothing labels nodes: a proxy would wait 15 s for an answer about them.
provider: {type: Kubernetes, kubernetes: {proxyTopologyInjector: {disabled: true}}}
extensionApis: {enableBackend: true, enableEnvoyPatchPolicy: true}
"""


class EnvoyGateway:
    """A control plane of one version."""

    checks = []

    def __init__(self, lab, cluster, version, envoy):
        self.lab, self.cluster, self.envoy = lab, cluster, binary(envoy)
        self.programs = TOOLS / f"envoy-gateway-{version}"
        self.sources = module(f"github.com/envoyproxy/gateway@{ENVOY_GATEWAY[version]}")
        self.folder = lab.folder / "envoy-gateway"
        self.folder.mkdir()
        self.made = [folder for folder in FIXED if not folder.exists()]
        for folder in self.made:
            folder.mkdir()
        self.set_up()

    def set_up(self):
        charts = self.sources / "charts/gateway-helm"
        crds = next(folder for folder in (charts / "charts/crds/crds", charts / "crds") if folder.exists())
        self.cluster.set_up(crds / "gatewayapi-crds.yaml", crds / "generated")
        self.cluster.kubectl("create", "namespace", NAMESPACE)
        (self.folder / "envoy-gateway.yaml").write_text(CONFIGURATION)
        run(self.programs / "envoy-gateway", "certgen", "--disable-topology-injector", env=self.environment())
        self.certificates = self.folder / "certs"
        write_secret(self.cluster, "envoy-gateway", self.certificates)
        self.cluster.apply((HERE / "envoy-gateway-cluster.yaml").read_text())
        self.start_service()
        self.start()

    def start_service(self):
        self.lab.pod("service", SERVICE)
        self.cluster.apply([endpoints("service", "default", SERVICE, "api", {"http": 8080})])
        self.lab.start("service", sys.executable, HERE / "service.py", SERVICE, 8080, pod="service")

    def start(self):
        self.lab.start("envoy-gateway", "unshare", "--mount", "sh", "-c", CONTROL_PLANE, "-", self.certificates,
                       self.programs / "envoy-gateway", self.folder / "envoy-gateway.yaml", env=self.environment())

    def stop(self):
        self.lab.stop("envoy-gateway")

    def end(self):
        self.stop()
        for folder in self.made:
            folder.rmdir()

    def files(self):
        return sorted((ROOT / "envoy/gateway").glob("*.yaml"))

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "KUBECONFIG": str(self.cluster.config), "ENVOY_GATEWAY_NAMESPACE": NAMESPACE}


# What has been fetched is kept below /var/lib.
CONTROL_PLANE = """
set -e
mount --bind "$1" /certs
mount -t tmpfs tmpfs /var/lib
exec "$2" server --config-path "$3"
"""


class Proxy:
    """A pod of the Deployment that Envoy Gateway makes for the Gateway."""

    def __init__(self, form, number):
        self.control_plane, self.lab, self.cluster = form.control_plane, form.control_plane.lab, form.control_plane.cluster
        self.name, self.address = f"pod-{form.network}-{number}", f"10.88.{form.network}.{number + 1}"
        self.folder = self.lab.folder / self.name
        self.lab.pod(self.name, self.address)

    def start(self):
        """Envoy waits for the control plane by itself."""
        self.launch()

    def launch(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        spec = until("the proxies' Deployment", self.deployment, 60)["spec"]["template"]["spec"]
        container = next(container for container in spec["containers"] if container["name"] == "envoy")
        mounts = [self.volume(spec["volumes"], mount) for mount in container["volumeMounts"]]
        environment = {variable["name"]: self.value(variable) for variable in container["env"]}
        arguments = [expanded(argument, environment) for argument in container["args"]]
        binds = "".join(f"mount --bind {folder} {path}\n" for folder, path in mounts)
        self.lab.start(self.name, "sh", "-c", f'set -e\n{binds}exec "$@"', "-", self.control_plane.envoy, *arguments, "--concurrency", 1,
                       pod=self.name, env={"PATH": os.environ["PATH"]} | environment)

    def stop(self):
        self.lab.stop(self.name)

    def deployment(self):
        labels = "gateway.envoyproxy.io/owning-gateway-name=gateway"
        return self.cluster.get("-n", NAMESPACE, "deployments", "-l", labels)["items"][0]

    def volume(self, volumes, mount):
        """The files of a mounted volume, and where they are mounted."""
        volume = next(volume for volume in volumes if volume["name"] == mount["name"])
        folder = self.folder / mount["name"]
        if "secret" in volume:
            write_secret(self.cluster, volume["secret"]["secretName"], folder)
        else:
            folder.mkdir()
            data = self.cluster.get("-n", NAMESPACE, "configmap", volume["configMap"]["name"])["data"]
            items = {item["key"]: item["path"] for item in volume["configMap"].get("items", [])}
            for key, content in data.items():
                (folder / items.get(key, key)).write_text(content)
        return folder, mount["mountPath"]

    def value(self, variable):
        if "value" in variable:
            return variable["value"]
        source = variable["valueFrom"]
        if "secretKeyRef" in source:
            secret = self.cluster.get("-n", NAMESPACE, "secret", source["secretKeyRef"]["name"])
            return base64.b64decode(secret["data"][source["secretKeyRef"]["key"]]).decode()
        return {"metadata.name": self.name, "metadata.namespace": NAMESPACE}.get(source["fieldRef"]["fieldPath"], "")

    def admin(self, path):
        return run("ip", "netns", "exec", self.name, "curl", "-sf", "-m", "30", f"http://127.0.0.1:19000/{path}")

    def log(self):
        return self.lab.log(self.name)


def write_secret(cluster, name, folder):
    folder.mkdir()
    for key, content in cluster.get("-n", NAMESPACE, "secret", name)["data"].items():
        (folder / key).write_bytes(base64.b64decode(content))


def expanded(argument, environment):
    for name, text in environment.items():
        argument = argument.replace(f"$({name})", text)
    return argument
