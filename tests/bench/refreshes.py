"""Measures refresh grants per second of one saturated worker that remembers them by itself, and of one that does in etcd,
against what their two signatures allow: by the host, and as machine code.

Each token is used once, as an application does; each round measures both workers, one after the other, and the signatures.
"""

import contextlib
import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse

import gateway
from logins import native_signature

ROUNDS = 5
SECONDS = 4
CHAINS = 16


def main():
    vm_probe = gateway.build_vm("probe_vm")
    with etcd() as port, gateway.Gateway(configuration(vm_probe)) as alone, \
            gateway.Gateway(configuration(vm_probe, port)) as in_fleet:
        workers = {"local": alone, "etcd": in_fleet}
        chains = {name: Chains(worker) for name, worker in workers.items()}
        for name in workers:
            chains[name].run(2)  # V8 compiles what runs often
        rounds = [measure(workers, chains) for _ in range(ROUNDS)]
    report({name: statistics.median(each[name] for each in rounds) for name in rounds[0]})


def configuration(vm_probe, etcd_port=None):
    document = gateway.document(**gateway.PACING)
    document["auth_sources"][0]["users"][0]["password_hash"] = gateway.PASSWORD_HASH
    if etcd_port:
        document["state"] = {"etcd": {"cluster": "etcd"}}
    filters = [
        gateway.token_endpoint(document, disabled=True),
        gateway.wasm_filter("probe", vm_probe, gateway.PASSWORD_HASH, disabled=True),
    ]
    routes = [gateway.TOKEN_ROUTE, gateway.route("/probe", "probe", status=404)]
    bootstrap = gateway.bootstrap(gateway.public_listener("gateway", filters, routes))
    if etcd_port:
        address = {"socket_address": {"address": "127.0.0.1", "port_value": etcd_port}}
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
        cluster = {"name": "etcd", "load_assignment": {"cluster_name": "etcd", "endpoints": endpoints}}
        bootstrap["static_resources"]["clusters"].append(cluster)
    return bootstrap


@contextlib.contextmanager
def etcd():
    """The port of an etcd of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-etcd-"))
    client, peer = free_port(), free_port()
    client_url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    command = ["etcd", "--data-dir", "data", "--listen-client-urls", client_url, "--advertise-client-urls", client_url]
    command += ["--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url]
    command += ["--initial-cluster", f"default={peer_url}"]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until_healthy(client, process)
        yield client
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_healthy(port, process):
    deadline = time.monotonic() + gateway.PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            if '"health":"true"' in gateway.request("127.0.0.1", port, "GET", "/health")[1]:
                return
        time.sleep(0.05)
    raise RuntimeError("etcd does not serve")


class Chains:
    """Sessions side by side, in each of which a refresh token is used once and gives the next."""

    def __init__(self, worker):
        self.worker = worker
        self.tokens = [token_of(*worker.post(gateway.LOGIN)) for _ in range(CHAINS)]

    def run(self, seconds):
        """How many refreshes there are in a second of the worker's core, and what share of a second others had it."""
        with self.worker.watch_worker() as watch:
            count = self.count(seconds)
        return count / watch["had"], watch["kept"] / watch["wall"], watch["ran"] / count

    def count(self, seconds):
        """How many refreshes there are in this time."""
        counts, end = [0] * CHAINS, time.monotonic() + seconds
        threads = [threading.Thread(target=self.follow, args=(at, end, counts)) for at in range(CHAINS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts)

    def follow(self, at, end, counts):
        while time.monotonic() < end:
            form = f"grant_type=refresh_token&{gateway.CLIENT}&refresh_token={urllib.parse.quote(self.tokens[at])}"
            self.tokens[at] = token_of(*self.worker.post(form))
            counts[at] += 1


def token_of(status, text):
    assert status == 200, text
    return json.loads(text)["refresh_token"]


def measure(workers, chains):
    found = {"signature_vm": host_signature(workers["local"]), "signature_native": native_signature()}
    for name in workers:
        found[name], found[f"{name}_kept"], found[f"{name}_ran"] = chains[name].run(SECONDS)
    return found


def host_signature(worker):
    """Seconds of a signature by the host, called from the VM."""
    with worker.watch_worker() as watch:
        answers = [json.loads(worker.get("/probe")) for _ in range(10)]
    checks, signatures = zip(*answers)
    share = 1 - watch["kept"] / (sum(checks) + sum(signatures))
    return share * statistics.median(signatures)


def report(found):
    host_limit = 1 / (2 * found["signature_vm"])
    native_limit = 1 / (2 * found["signature_native"])
    gateway.table(
        ["refreshes of one worker", "per second", "limit of two signatures by the host", "ratio", "limit of two native ones", "ratio", "worker's ms each"],
        *(row(name, found, host_limit, native_limit) for name in ["local", "etcd"]),
    )
    print(
        f"\nMedians of {ROUNDS} rounds, by the time that the worker had its core "
        f"(other programs had it {found['etcd_kept']:.0%} of the time while it asked etcd)."
    )


def row(name, found, host_limit, native_limit):
    measured = found[name]
    return [
        name,
        f"{measured:.1f}",
        f"{host_limit:.1f}",
        f"**{measured / host_limit:.2f}**",
        f"{native_limit:.1f}",
        f"{measured / native_limit:.2f}",
        f"{found[f'{name}_ran'] * 1e3:.2f}",
    ]


if __name__ == "__main__":
    main()
