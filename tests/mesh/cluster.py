"""A Kubernetes API server without kubelets and controllers: what those would write is written here."""

import json
import shutil
import subprocess

import yaml
from build import TOOLS
from lab import Failed, run, until

KUBERNETES = TOOLS / "kubernetes"
ADDRESS = "10.88.0.1"
CONFIG = """
apiVersion: v1
kind: Config
current-context: lab
clusters: [{{name: lab, cluster: {{server: "https://{address}:6443", certificate-authority: {ca}}}}}]
users: [{{name: admin, user: {{token: admin}}}}]
contexts: [{{name: lab, context: {{cluster: lab, user: admin}}}}]
"""


class Cluster:
    """etcd and kube-apiserver."""

    def __init__(self, lab):
        self.lab, self.folder = lab, lab.folder / "cluster"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.config = self.folder / "kubeconfig"
        self.make_keys()
        self.config.write_text(CONFIG.format(address=ADDRESS, ca=self.folder / "ca.crt"))
        self.start()
        until("the API server", lambda: self.kubectl("get", "--raw", "/readyz") == "ok", 90)

    def make_keys(self):
        files, openssl = self.folder, lambda *arguments: run("openssl", *arguments)
        openssl("genrsa", "-out", files / "sa.key", "2048")
        openssl("rsa", "-in", files / "sa.key", "-pubout", "-out", files / "sa.pub")
        self.ca = certificate_authority(files, "ca")
        certificate(files, "ca", "api", f"IP:{ADDRESS},DNS:kubernetes.default.svc")
        (files / "tokens.csv").write_text('admin,admin,admin,"system:masters"\n')

    def start(self):
        url, peers = f"http://{ADDRESS}:2379", f"http://{ADDRESS}:2380"
        etcd = ["--data-dir", self.folder / "etcd", "--log-level", "error", "--unsafe-no-fsync"]
        self.lab.start("etcd", "etcd", *etcd, "--listen-client-urls", url, "--advertise-client-urls", url,
                       "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}")
        files = self.folder
        self.lab.start(
            "kube-apiserver", KUBERNETES / "kube-apiserver", f"--etcd-servers={url}", f"--bind-address={ADDRESS}",
            f"--advertise-address={ADDRESS}", "--secure-port=6443", f"--tls-cert-file={files}/api.crt",
            f"--tls-private-key-file={files}/api.key", f"--token-auth-file={files}/tokens.csv", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={files}/sa.pub", f"--service-account-signing-key-file={files}/sa.key",
            "--api-audiences=https://kubernetes.default.svc,istio-ca", f"--cert-dir={files}",
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition,DefaultTolerationSeconds",
        )

    def end(self):
        for name in ("kube-apiserver", "etcd"):
            self.lab.stop(name)

    def kubectl(self, *arguments, documents=None):
        command = [KUBERNETES / "kubectl", "--kubeconfig", self.config, *arguments]
        return run(*command, input=text(documents).encode() if documents is not None else None)

    def apply(self, documents, *arguments):
        """Applies documents as a user would: those of a chart that are too large for an annotation, by the server."""
        return self.kubectl("apply", *arguments, "-f", "-", documents=documents)

    def delete(self, documents):
        self.kubectl("delete", "--ignore-not-found", "-f", "-", documents=documents)

    def get(self, *what):
        command = [KUBERNETES / "kubectl", "--kubeconfig", self.config, "-o", "json", "get", *what]
        done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise Failed(done.stderr.decode().strip()[-300:])
        return json.loads(done.stdout)

    def set_up(self, *crds):
        for crd in crds:
            self.kubectl("apply", "--server-side", "-f", crd)
        self.established()

    def established(self):
        self.kubectl("wait", "--for", "condition=established", "--timeout=60s", "crd", "--all")

    def give_address(self, namespace, pod, address):
        """Says of a pod that it runs, as its kubelet would."""
        ready = [{"type": "Ready", "status": "True"}]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "hostIP": ADDRESS, "conditions": ready}
        self.kubectl("-n", namespace, "patch", "pod", pod, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def text(documents):
    return documents if isinstance(documents, str) else yaml.safe_dump_all(documents, sort_keys=False)


def certificate_authority(folder, name):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt",
        "-subj", f"/CN={name}", "-days", "2")
    return folder / f"{name}.crt"


def certificate(folder, authority, name, names):
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", f"/CN={name}")
    (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    run("openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{authority}.crt", "-CAkey", folder / f"{authority}.key",
        "-CAcreateserial", "-days", "2", "-out", folder / f"{name}.crt", "-extfile", folder / f"{name}.ext")
