"""Measures the token endpoint in both of its hosts, and the same login in an application server, side by side: one core for
the server with all its threads, the others for the load; and what a hash and two signatures allow as machine code.

Each round starts all of them anew and measures them in turns. `--quick` tries out whether all works; its figures say nothing.
"""

import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

import gateway
import load
import refreshes

ROUNDS = 3
SECONDS = 3
LEAD = 1
CONNECTIONS = [1, 4, 16]
CONTENDERS = 4
OTHER_RATE = 1000
OTHER_CONNECTIONS = 50
TICKS = os.sysconf("SC_CLK_TCK")
# What machine code is asked for, by name.
HASH, SIGNATURE = "hash", "signature"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    rounds, seconds = (1, 1) if arguments.parse_args().quick else (ROUNDS, SECONDS)
    probes = {HASH: gateway.build("probe_native"), SIGNATURE: build_signature_probe()}
    gateway.set_a_core_apart()
    report([measure(probes, seconds) for _ in range(rounds)], seconds)


def build_signature_probe():
    manifest = gateway.ROOT / "envoy/dynamic-module/Cargo.toml"
    options = ["--example", "probe_signature", "--manifest-path", manifest, "--target-dir", gateway.MODULE_FOLDER]
    subprocess.run(["cargo", "build", "--quiet", "--release", *options], check=True)
    return gateway.MODULE_FOLDER / "release/examples/probe_signature"


def on_the_core():
    """What a command is preceded by to run on the server's core, as do the threads that it starts."""
    return ["taskset", "--cpu-list", ",".join(map(str, gateway.WORKER_CORES))] if gateway.WORKER_CORES else []


def envoy(host):
    return gateway.Gateway(gateway.logins(host, **gateway.PACING), prefix=on_the_core())


class Peer(gateway.Server):
    """FastAPI, in one process."""

    def __init__(self):
        self.ports = {"gateway": refreshes.free_port()}
        command = [*on_the_core(), gateway.ROOT / ".tools/peer/bin/uvicorn", "peer:app", "--log-level", "warning"]
        command += ["--app-dir", pathlib.Path(__file__).parent, "--port", str(self.ports["gateway"]), "--no-access-log"]
        started = time.monotonic()
        self.process = subprocess.Popen(command, env=os.environ | gateway.keys() | {"PYTHONDONTWRITEBYTECODE": "1"})
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        self.startup_seconds = time.monotonic() - started

    def wait_until_ready(self):
        deadline = time.monotonic() + gateway.PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.get("/other") == "hello\n":
                    return
            time.sleep(0.01)
        raise RuntimeError("the peer does not serve")


SERVERS = {
    "wasm": lambda: envoy(gateway.token_endpoint),
    "module": lambda: envoy(gateway.module_filter),
    "FastAPI": Peer,
}


def measure(probes, seconds):
    """One round: by server, and for machine code, what each step found."""
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(start()) for name, start in SERVERS.items()}
        found = {name: {"start": server.startup_seconds} for name, server in servers.items()}
        times = {name: [] for name in probes}
        for step in STEPS:
            for name, server in servers.items():
                found[name] |= step(server, seconds)
            for name, probe in probes.items():
                times[name] += seconds_of(probe)
        return found | {"native": native(**times)}


def native(hash, signature):
    """What a hash and two signatures alone would allow, by the times of some."""
    hashing, signature = statistics.median(hash), statistics.median(signature)
    login = hashing + 2 * signature
    at_each = {f"logins {at}": 1 / login for at in CONNECTIONS} | {f"cpu {at}": login * 1e3 for at in CONNECTIONS}
    return at_each | {"refreshes": 1 / (2 * signature), HASH: hashing * 1e3, SIGNATURE: signature * 1e3}


def seconds_of(probe):
    """In huge pages, where a hash is faster: a limit is what can be had at best."""
    environment = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    return [float(line) for line in subprocess.check_output([*on_the_core(), probe], env=environment, text=True).split()]


def warm_up(server, seconds):
    """V8 compiles what runs often."""
    load.run(server.url("/oauth2/token"), min(seconds, 2), 4, form=gateway.LOGIN)
    return {}


def logins(connections):
    def step(server, seconds):
        core, before = core_ticks(), cpu_ticks(server.process)
        answers = log_in(server, seconds, connections)
        used, (busy, all_ticks) = cpu_ticks(server.process) - before, (now - then for now, then in zip(core_ticks(), core))
        assert answers["refused"] == 0, answers
        return {
            f"logins {connections}": answers["rate"],
            f"cpu {connections}": used / TICKS / answers["count"] * 1e3,
            f"kept {connections}": (busy - used) / all_ticks,
        }

    return step


def log_in(server, seconds, connections):
    """What became of logins: each connection has one under way when the time is over, which is waited for and not counted
    in the rate."""
    result = load.run(server.url("/oauth2/token"), seconds, connections, form=gateway.LOGIN, wait=True)
    times = result.times()
    refused = sum(count for status, count in result.statuses().items() if status != 200)
    rate = max(len(times) - connections, 0) / seconds
    return {"rate": rate, "count": len(times), "longest": max(times, default=float("nan")), "refused": refused}


def cpu_ticks(process):
    """Of all threads of a process, those that have ended too."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def core_ticks():
    """How long the server's core was busy, for whomever, of how long."""
    name = f"cpu{min(gateway.WORKER_CORES or os.sched_getaffinity(0))}"
    lines = pathlib.Path("/proc/stat").read_text().splitlines()
    ticks = next([int(field) for field in line.split()[1:9]] for line in lines if line.split()[0] == name)
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def memory(server, _):
    return {"memory": server.resident_mib()}


def other_requests(server, seconds):
    calm = p99_of_others(server, seconds)
    logins = load.background(server.url("/oauth2/token"), 10 * (LEAD + seconds), max(CONNECTIONS), form=gateway.LOGIN)
    with logins:
        time.sleep(LEAD)
        return {"p99 calm": calm, "p99 beside": p99_of_others(server, seconds)}


def p99_of_others(server, seconds):
    result = load.run(server.url("/other"), seconds, OTHER_CONNECTIONS, OTHER_RATE)
    assert list(result.milliseconds) == [200], result.statuses()
    return load.percentile(result.times(), 0.99)


class KeepAlive:
    """A server, by one connection for each thread: Python makes less of a fast server's rate so."""

    def __init__(self, server):
        self.port, self.of_thread = server.ports["gateway"], threading.local()

    def post(self, form):
        stream = self.stream()
        stream.write(
            f"POST /oauth2/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n"
            f"content-length: {len(form)}\r\n\r\n{form}".encode()
        )
        stream.flush()
        status = int(stream.readline().split()[1])
        headers = dict(line.decode().lower().split(":", 1) for line in iter(stream.readline, b"\r\n"))
        return status, stream.read(int(headers["content-length"])).decode()

    def stream(self):
        if not hasattr(self.of_thread, "stream"):
            connection = socket.create_connection(("127.0.0.1", self.port), gateway.PATIENCE)
            self.of_thread.stream = connection.makefile("rwb")
        return self.of_thread.stream


def refresh(server, seconds):
    return {"refreshes": refreshes.Chains(KeepAlive(server)).count(seconds) / seconds}


def beside_a_busy_loop(server, seconds):
    """Logins on a core that another program would have for itself, and what it loses."""
    loop = subprocess.Popen([*on_the_core(), sys.executable, "-c", "while True: pass"])
    try:
        alone = share_of(loop, lambda: time.sleep(seconds / 2))[0]
        beside, answers = share_of(loop, lambda: log_in(server, 2 * seconds, CONTENDERS))
    finally:
        loop.kill()
        loop.wait()
    return contended("loop", answers, 1 - beside / alone)


def share_of(process, work):
    """The share of a core that a process had during some work, and what that gave."""
    before, started = cpu_ticks(process), time.monotonic()
    given = work()
    return (cpu_ticks(process) - before) / TICKS / (time.monotonic() - started), given


def beside_a_flood(server, seconds):
    """The same where the server itself fills the core, with other requests as fast as they come."""
    alone = load.run(server.url("/other"), seconds / 2, OTHER_CONNECTIONS).per_second()
    flood = load.Load(server.url("/other"), 2 * seconds, OTHER_CONNECTIONS)
    try:
        answers = log_in(server, 2 * seconds, CONTENDERS)
        beside = flood.result().per_second()
    finally:
        flood.oha.kill()
    return contended("flood", answers, 1 - beside / alone)


def contended(with_what, answers, lost):
    found = {"logins": answers["rate"], "longest": answers["longest"], "refused": answers["refused"], "lost": lost * 100}
    return {f"{with_what} {name}": value for name, value in found.items()}


STEPS = [warm_up, *map(logins, CONNECTIONS), memory, other_requests, refresh, beside_a_busy_loop, beside_a_flood]

# What is said of each, and with how many digits.
ROWS = (
    {f"logins {at}": (f"logins/s, {at} at a time", 1) for at in CONNECTIONS}
    | {f"cpu {at}": (f"CPU ms a login, {at} at a time", 1) for at in CONNECTIONS}
    | {
        "p99 calm": (f"other requests, {OTHER_RATE:,}/s: p99 ms", 2),
        "p99 beside": ("the same beside logins without end", 2),
        "refreshes": ("refreshes/s", 0),
        "memory": ("MiB resident after the logins", 0),
        "start": ("start to ready, s", 2),
    }
    | {
        f"{key} {what}": (f"beside {who}: {said}", digits)
        for key, who in {"loop": "a busy loop", "flood": "other requests without end"}.items()
        for what, said, digits in [
            ("logins", "logins/s", 1),
            ("longest", "longest login, ms", 0),
            ("refused", "logins refused", 0),
            ("lost", "it loses, %", 0),
        ]
    }
)


def report(rounds, seconds):
    found = {name: of_rounds([each[name] for each in rounds]) for name in rounds[0]}
    ratios = [f"module / {name}" for name in found if name != "module"]
    gateway.table(["one core", *found, *ratios], *(row(key, found) for key in ROWS))
    kept = statistics.median(each[name][f"kept {at}"] for each in rounds for name in SERVERS for at in CONNECTIONS)
    print(
        f"\nMedians of {len(rounds)} rounds of {seconds} s. Machine code: crate argon2 {found['native'][HASH]:.1f} ms, "
        f"AWS-LC {found['native'][SIGNATURE]:.2f} ms a signature, of which a login and a refresh need two. "
        f"Other programs had the core {kept:.0%} of the time while logins ran."
    )


def of_rounds(rounds):
    """Medians, and of the longest times the longest."""
    return {key: (max if key.endswith("longest") else statistics.median)(each[key] for each in rounds) for key in rounds[0]}


def row(key, found):
    title, digits = ROWS[key]
    values = {name: each.get(key) for name, each in found.items()}
    others = [None if key.endswith(("refused", "lost")) else value for name, value in values.items() if name != "module"]
    return [title, *(cell(value, digits) for value in values.values()), *(ratio(values["module"], other) for other in others)]


def cell(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def ratio(ours, other):
    return f"{ours / other:.2f}" if other else ""


if __name__ == "__main__":
    main()
