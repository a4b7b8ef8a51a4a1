"""A run: each form by itself, from a fresh proxy to its end, and the table of what came out."""

import os
import pathlib
import time
import traceback

import envoy_gateway_forms
import func_e
import istio_forms
from broken import BROKEN
from build import tell
from cluster import Cluster
from envoy_gateway import EnvoyGateway
from forms import Keys
from istio import Istio, binary
from lab import Failed
from registry import Registry
from stories import STORIES

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of Envoy Gateway's versions, the Envoy that each is made for.
ENVOY_OF = {"1.9.1": "1.39.3", "1.7.0": "1.37.0"}
ISTIOS_ENVOY = "1.40.0"


class Run:
    """What came out of each form's stories: True, or why not; and notes."""

    def __init__(self, lab, arguments):
        self.lab, self.arguments, self.broken = lab, arguments, BROKEN.get(arguments.broken)
        self.registry = Registry(lab, ROOT / "target/package/token-endpoint")
        self.keys = Keys(os.environ["TOKEN_ENDPOINT_TOOL"])
        start_state_store(lab)
        self.results = {}

    def tell_all(self):
        """Whether all is well; or, where a manifest is broken on purpose, whether the right story says so."""
        istio, gateway = self.arguments.istio, self.arguments.envoy_gateway
        self.under("Istio", Istio, istio, ISTIOS_ENVOY, istio_forms.FORMS)
        self.under("Envoy Gateway", EnvoyGateway, gateway, ENVOY_OF[gateway], envoy_gateway_forms.FORMS)
        if self.is_wanted(func_e.FuncE):
            self.tell_stories(func_e.FuncE(self.lab, self.keys, binary(envoy_of(ISTIOS_ENVOY))), func_e.STORIES)
        print(table(self.results))
        wrong = [(form, story) for form, results in self.results.items() for story, (good, _) in results.items() if not good]
        return (self.broken.form, self.broken.story) in wrong if self.broken else self.results and not wrong

    def under(self, name, control_plane, version, envoy, forms):
        """Tells the stories of a control plane's forms, in a cluster of its own."""
        forms = [form for form in forms if self.is_wanted(form)]
        if not forms:
            return
        cluster = Cluster(self.lab)
        plane = control_plane(self.lab, cluster, version, envoy_of(envoy))
        tell(f"{name} {version} is ready")
        self.tell_stories(Manifests(name, plane, cluster), plane.checks)
        for form in forms:
            self.tell_stories(form(plane, self.registry, self.keys, self.broken), STORIES)
        plane.end()
        cluster.end()

    def is_wanted(self, form):
        only = [self.broken.form] if self.broken else self.arguments.only.split(",") if self.arguments.only else []
        return not only or form.name in only

    def tell_stories(self, form, stories):
        results = self.results[form.name] = {}
        wanted = [self.broken.story] if self.broken else self.arguments.stories.split(",") if self.arguments.stories else []
        results["start"] = told(form, start)
        for story in stories if results["start"][0] else []:
            if not wanted or story.__name__ in wanted:
                results[story.__name__] = told(form, story)
        form.end()


class Manifests:
    """All files of a control plane, which are not applied for good."""

    def __init__(self, name, control_plane, cluster):
        self.name, self.control_plane, self.cluster = f"files for {name}", control_plane, cluster

    def start(self):
        """The API server takes each file as it is, but for patches."""
        for file in self.control_plane.files():
            if "kind: Deployment" not in file.read_text():
                self.cluster.kubectl("apply", "--dry-run=server", "-f", file)

    def end(self):
        pass


def envoy_of(version):
    return ROOT / f".tools/envoy-{version}/bin/envoy"


def start(form):
    """The webhook takes the manifests, the keys reach the proxy, and it answers."""
    form.start()


def told(form, story):
    """How a story ended, and what it says."""
    began = time.monotonic()
    try:
        good, note = True, story(form)
    except (Failed, OSError, KeyError, ValueError) as failed:
        good, note = False, f"{type(failed).__name__}: {failed}"
        if not isinstance(failed, Failed):
            traceback.print_exc()
    tell(f"{form.name}: {story.__name__}: {'ok' if good else 'FAILS'}{f' ({note})' if note else ''}, {time.monotonic() - began:.1f} s")
    return good, note


def table(results):
    """Forms by stories, as Markdown."""
    names = list(dict.fromkeys(name for form in results.values() for name in form))
    head = ["| story | " + " | ".join(results) + " |", "| --- |" + " --- |" * len(results)]
    cell = lambda form, name: "" if name not in form else " ".join(filter(None, ["ok" if form[name][0] else "**fails**", shown(form[name])]))
    return "\n".join([*head, *(f"| {name.replace('_', ' ')} | " + " | ".join(cell(form, name) for form in results.values()) + " |" for name in names)])


def shown(result):
    return f"({result[1]})".replace("|", "/")[:120] if result[1] else ""


def start_state_store(lab):
    """The etcd of the token endpoints: not the cluster's own."""
    client, peers = "http://10.88.0.1:12379", "http://10.88.0.1:12380"
    lab.start("state", "etcd", "--data-dir", lab.folder / "state", "--log-level", "error", "--unsafe-no-fsync", "--listen-client-urls", client,
              "--advertise-client-urls", client, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
              "--initial-cluster", f"default={peers}")
