"""The place of a run: networks and processes that nobody else sees, and that end with it."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

INSIDE = "TOKEN_ENDPOINT_MESH_INSIDE"
HOSTS = """127.0.0.1 localhost
10.88.0.1 istiod.istio-system.svc
10.88.0.1 envoy-gateway.envoy-gateway-system.svc.cluster.local envoy-gateway.envoy-gateway-system.svc.cluster.local.
"""
# Callers have an address each, so that what one story counts is not counted for another.
CALLERS = [f"10.88.{net}.{number}" for net in (1, 2) for number in range(1, 255)]


def is_inside():
    return INSIDE in os.environ


def go_inside():
    """Begins this program anew where it has a network, mounts and processes of its own."""
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
    os.execvpe(own[0], [*own, sys.executable, "-B", *sys.argv], os.environ | {INSIDE: "1"})


class Lab:
    """The run's folder, its bridge and its processes."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="token-endpoint-mesh-"))
        self.folder.chmod(0o755)
        self.processes = {}
        for folder in ("/run/netns", "/var/lib/istio", "/dev/shm"):
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            run("mount", "-t", "tmpfs", "tmpfs", folder)
        self.write_hosts("")
        self.hide_files()
        run("ip", "link", "set", "lo", "up")
        # With an address of its own: otherwise it takes another one with each pod, which those that know the old one wait for.
        run("ip", "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge")
        run("ip", "addr", "add", "10.88.0.1/16", "dev", "br0")
        for address in CALLERS:
            run("ip", "addr", "add", f"{address}/16", "dev", "br0")
        run("ip", "link", "set", "br0", "up")
        self.callers = iter(CALLERS)
        self.visitor = self.caller()      # one of whom nothing is counted

    def caller(self):
        """An address that nobody has called from yet."""
        return next(self.callers)

    def write_hosts(self, more):
        (self.folder / "hosts").write_text(HOSTS + more)

    def hide_files(self):
        """The run's own /etc/hosts; and nobody waits for a name server that can't be reached."""
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        for name in ("hosts", "resolv.conf"):
            run("mount", "--bind", self.folder / name, f"/etc/{name}")

    def pod(self, name, address):
        """A network as a pod has it."""
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"v-{name}", "master", "br0", "up")
        run("ip", "-n", name, "addr", "add", f"{address}/16", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "route", "add", "default", "via", "10.88.0.1")
        # As Istio's Deployments have it: its proxies are not root, and listen on 80.
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")

    def start(self, name, *command, pod=None, **options):
        """Starts a process; its log is `log(name)`, from its beginning."""
        inside = ["ip", "netns", "exec", pod] if pod else []
        file = self.folder / f"{name}.log"
        file.unlink(missing_ok=True)
        log = open(file, "ab")
        file.chmod(0o666)      # Envoy opens it anew, by another user
        command = [*inside, *map(str, command)]
        self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)

    def stop(self, name):
        process = self.processes.pop(name, None)
        if process:
            send(process, signal.SIGTERM)
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                pass
            send(process, signal.SIGKILL)
            process.wait()

    def log(self, name):
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def end(self, keep):
        for name in list(self.processes)[::-1]:
            self.stop(name)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def send(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def run(*command, **options):
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}: {done.stdout.decode(errors='replace').strip()[-600:]}")
    return done.stdout.decode()


class Failed(Exception):
    """What went wrong, for the table."""


def until(what, attempt, seconds=30):
    """Waits until `attempt` returns something true, and returns it."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if found := attempt():
                return found
        except (OSError, Failed, KeyError, IndexError, ValueError) as error:
            last = error
        time.sleep(0.1)
    raise Failed(f"waited {seconds} s for {what}" + (f": {last}" if last else ""))
