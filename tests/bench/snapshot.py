"""Measures the user directory `snapshot` in a real Envoy: requests per interval, time to load, memory, and how long it holds a worker.

Usage: ENVOY=/path/to/envoy TOKEN_ENDPOINT_WASM=token_endpoint.wasm python3 tests/bench/snapshot.py [users]

A server of the standard library stands for the directory and counts requests. Envoy's four workers log how long each answer
and each slice of work held them (debug lines of the filter); a neighbour, one connection per worker at least, asks for a plain
200 meanwhile. What a hold is without the machine's other work in it is measured by one worker with a core of its own: at
real-time priority where that is permitted.
"""

import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ENVOY = os.environ.get("ENVOY", "envoy")
WASM = os.path.abspath(os.environ.get("TOKEN_ENDPOINT_WASM", "target/wasm32-wasip1/release/token_endpoint.wasm"))
USERS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
WORKERS = 4
# No worker may be held for longer at a time, in ms.
MOST_HELD = 5
INTERVAL = 5
PASSWORD = "correct horse"
PACED = {"pacing_cluster": "pacing"}


class Directory(http.server.ThreadingHTTPServer):
    """Serves one document with an ETag, in parts if it can, and remembers when it was asked."""

    def __init__(self, has_ranges=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.has_ranges = has_ranges
        self.document, self.etag, self.asked = b"", "", []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def set(self, document):
        self.document, self.etag = document, '"' + hashlib.sha256(document).hexdigest()[:16] + '"'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        directory = self.server
        document, etag = directory.document, directory.etag
        status, body, headers = 200, document, {"etag": etag}
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", "")) if directory.has_ranges else None
        if self.headers.get("if-none-match") == etag:
            status, body = 304, b""
        elif self.headers.get("if-match", etag) != etag:
            status, body = 412, b""
        elif asked:
            first, last = int(asked[1]), min(int(asked[2]), len(document) - 1)
            status, body = 206, document[first:last + 1]
            headers["content-range"] = f"bytes {first}-{last}/{len(document)}"
        directory.asked.append((time.time(), status))
        self.send_response(status)
        for name, value in (headers | {"content-length": len(body)}).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def user(number, hash_of):
    return {
        "id": f"user-{number:06}",
        "identifiers": {"username": f"user{number:06}", "email": f"user{number:06}@example.com"},
        "password_hash": hash_of(number),
        "claims": {"name": f"User Number {number}"},
    }


def hash_of(number):
    """The hash of PASSWORD for a few users, of nothing for the others: making 100,000 real ones would take an hour."""
    salt = hashlib.sha256(str(number).encode()).digest()[:16]
    if number < 2:
        digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 600_000)
    else:
        digest = hashlib.sha256(salt).digest()
    encode = lambda data: base64.b64encode(data).decode().rstrip("=").replace("+", ".")
    return f"$pbkdf2-sha256$600000${encode(salt)}${encode(digest)}"


def documents():
    users = [json.dumps(user(number, hash_of), separators=(",", ":")) for number in range(USERS)]
    return ('{"users":[' + ",".join(users) + "]}").encode(), ("\n".join(users) + "\n").encode()


class Gateway:
    def __init__(self, directory_port, document_format, keys, workers=WORKERS, checks=PACED, prepare=None):
        self.state = tempfile.mkdtemp()
        self.log = os.path.join(self.state, "log")
        with open(os.path.join(self.state, "envoy.json"), "w") as file:
            json.dump(bootstrap(directory_port, document_format, checks), file)
        environment = dict(os.environ, KEY=keys)
        command = [ENVOY, "-c", "envoy.json", "--concurrency", str(workers), "--use-dynamic-base-id",
                   "--admin-address-path", "admin", "-l", "warning", "--component-log-level", "wasm:debug"]
        self.started = time.time()
        with open(self.log, "w") as log:
            self.envoy = subprocess.Popen(command, cwd=self.state, env=environment, stdout=log, stderr=log,
                                          preexec_fn=prepare)
        self.admin = self.wait(lambda: self.admin_address())
        self.port = self.wait(lambda: self.listener())

    def wait(self, ask, patience=120):
        end = time.time() + patience
        while time.time() < end:
            assert self.envoy.poll() is None, open(self.log).read()
            try:
                if answer := ask():
                    return answer
            except (OSError, ValueError, KeyError, IndexError):
                pass
            time.sleep(0.02)
        raise SystemExit("waited in vain:\n" + open(self.log).read()[-4000:])

    def admin_address(self):
        return int(open(os.path.join(self.state, "admin")).read().rsplit(":", 1)[1])

    def ask_admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def listener(self):
        statuses = json.loads(self.ask_admin("/listeners?format=json"))["listener_statuses"]
        return statuses[0]["local_address"]["socket_address"]["port_value"]

    def counter(self, name):
        found = re.search(rf"{name}: (\d+)", self.ask_admin(f"/stats?filter={name}"))
        return int(found.group(1)) if found else 0

    def lines(self, pattern):
        return re.findall(pattern, open(self.log).read())

    def loads(self):
        return self.lines(r"version (\d+), (\d+) users in ([\d.]+)(ms|s)\b")

    def answers(self):
        """How long each answer with a body held its worker, in ms."""
        return [millis(*found) for found in self.lines(r"answer of [1-9]\d* bytes taken in ([\d.]+)(µs|ms|s)\b")]

    def slices(self):
        """How long the longest slice of each piece of work held its worker, in ms."""
        return [millis(*found) for found in self.lines(r"longest hold ([\d.]+)(µs|ms|s)\b")]

    def memory(self):
        status = open(f"/proc/{self.envoy.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def login(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        form = urllib.parse.urlencode({"grant_type": "password", "client_id": "app", "auth_source_id": "DIRECTORY",
                                       "username": name, "password": PASSWORD, "scope": "openid"})
        connection.request("POST", "/token", form, {"content-type": "application/x-www-form-urlencoded"})
        return connection.getresponse().status

    def stop(self):
        self.envoy.terminate()
        self.envoy.wait()


def millis(number, unit):
    return float(number) * {"µs": 0.001, "ms": 1, "s": 1000}[unit]


class Neighbour:
    """Asks for nothing over several connections, again and again, and remembers how long each answer took."""

    def __init__(self, port, connections=8):
        self.times, self.on = [], True
        self.threads = [threading.Thread(target=self.ask, args=(port,)) for _ in range(connections)]
        for thread in self.threads:
            thread.start()

    def ask(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while self.on:
            start = time.perf_counter()
            connection.request("GET", "/plain")
            connection.getresponse().read()
            self.times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.005)

    def stop(self):
        self.on = False
        for thread in self.threads:
            thread.join()
        times = sorted(self.times)
        return times[len(times) // 2], times[int(len(times) * 0.99)], times[-1]


def bootstrap(directory_port, document_format, checks):
    cluster = lambda name, endpoint: {"name": name, "load_assignment": {"cluster_name": name, "endpoints": [
        {"lb_endpoints": [{"endpoint": {"address": endpoint}}]}]}}
    manager = lambda prefix, filters, routes: {"filters": [{"name": "hcm", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": prefix, "http_filters": filters + [{"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}}}]}
    plugin = {"name": "token_endpoint", "disabled": True, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "token_endpoint", "allow_on_headers_stop_iteration": True,
            "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": WASM}},
                          "environment_variables": {"host_env_keys": ["KEY"]}},
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps({
                "issuer": "https://gateway.example.com",
                "signing_keys": [{"algorithm": "ES256", "private_key": {"env": "KEY"}}],
                "paths": {"token": "/token", "jwks": "/jwks"},
                "password_checks": checks,
                "auth_sources": [{"id": "DIRECTORY", "identifiers": ["username", "email"], "snapshot": {
                    "cluster": "directory", "path": "/users", "format": document_format, "timeout": "20s",
                    "refresh_interval": f"{INTERVAL}s"}}],
                "clients": [{"id": "app", "type": "spa", "auth_sources": ["DIRECTORY"], "grants": ["password"],
                             "scopes": ["openid"]}],
            })}}}}
    on = {"token_endpoint": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}}
    routes = [{"match": {"path": "/token"}, "direct_response": {"status": 404}, "typed_per_filter_config": on},
              {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
    internal = "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "bootstrap_extensions": [{"name": "envoy.bootstrap.internal_listener", "typed_config": {"@type": internal}}],
        "static_resources": {
            "listeners": [
                {"name": "gateway", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                 "filter_chains": [manager("gateway", [plugin], routes)]},
                {"name": "second", "internal_listener": {}, "filter_chains": [manager("second", [plugin], routes[:1])]},
                {"name": "pacing", "internal_listener": {}, "filter_chains": [manager("pacing", [], [
                    {"match": {"prefix": "/"}, "direct_response": {"status": 204}}])]},
            ],
            "clusters": [
                cluster("directory", {"socket_address": {"address": "127.0.0.1", "port_value": directory_port}}),
                cluster("pacing", {"envoy_internal_address": {"server_listener_name": "pacing"}}),
            ],
        },
    }


def measure(document_format, document, other, keys):
    directory = Directory()
    directory.set(b'{"users":[]}' if document_format == "json" else b"{}\n")
    empty = Gateway(directory.server_port, document_format, keys)
    time.sleep(3)
    baseline = empty.memory()
    empty.stop()

    directory.set(document)
    directory.asked.clear()
    gateway = Gateway(directory.server_port, document_format, keys)
    neighbour = Neighbour(gateway.port)
    gateway.wait(lambda: len(gateway.loads()) >= WORKERS)
    ready = time.time() - gateway.started
    first_p50, first_p99, first_longest = neighbour.stop()
    logins = [gateway.login(name) for name in ("user000000", "user000001@example.com", "user000002", "nobody")]
    memory = gateway.memory()
    quiet = Neighbour(gateway.port)
    time.sleep(4 * INTERVAL)
    quiet_p50, quiet_p99, quiet_longest = quiet.stop()
    asked = list(directory.asked)

    busy = Neighbour(gateway.port)
    directory.set(other)
    gateway.wait(lambda: len(gateway.loads()) >= 2 * WORKERS)
    busy_p50, busy_p99, busy_longest = busy.stop()
    later = gateway.memory()
    loads = [millis(number, unit) for _, _, number, unit in gateway.loads()]
    answers, slices = gateway.answers(), gateway.slices()
    directory.set(document.replace(b'"password_hash":"$pbkdf2', b'"password_hash":"$x', 1))
    gateway.wait(lambda: gateway.counter("token_endpoint.snapshot_refused") == 1)
    time.sleep(2.5 * INTERVAL)
    told = gateway.lines(r"no newer copy of its users: ([^\n]*)")
    still = gateway.login("user000000")
    gateway.stop()
    directory.shutdown()
    return [
        ("size of the document", f"{len(document) / 1e6:.1f} MB"),
        ("start of Envoy until all 4 workers have the users", f"{ready:.1f} s"),
        ("a worker reads it in", f"{min(loads):.0f} to {max(loads):.0f} ms"),
        ("requests to the directory, 4 workers, 2 listeners", requests(asked)),
        ("logins (right, right by e-mail, wrong, unknown)", ", ".join(map(str, logins))),
        ("memory per worker, first copy", f"{(memory - baseline) / WORKERS:.0f} MB"),
        ("memory per worker, after a second copy", f"{(later - baseline) / WORKERS:.0f} MB"),
        ("longest hold by an answer, and by a slice, waits for a core included",
         f"{max(answers):.2f} ms, {max(slices):.2f} ms"),
        ("neighbour p50/p99/longest, at rest", f"{quiet_p50:.2f} / {quiet_p99:.2f} / {quiet_longest:.1f} ms"),
        ("neighbour, first load", f"{first_p50:.2f} / {first_p99:.2f} / {first_longest:.1f} ms"),
        ("neighbour, second load", f"{busy_p50:.2f} / {busy_p99:.2f} / {busy_longest:.1f} ms"),
        ("a bad record: told, and a login after it", f"{told}, {still}"),
    ]


def requests(asked):
    """The requests of a first load and of some intervals after it, those of one fetch together."""
    parts = [at for at, status in asked if status == 206]
    fetches = [asked[0]] + [(at, status) for at, status in asked if status != 206]
    spans = [later - earlier for (earlier, _), (later, _) in zip(fetches, fetches[1:])]
    return (f"{len(parts)} parts in {parts[-1] - parts[0]:.2f} s, then " + ", ".join(str(status) for _, status in fetches[1:])
            + "; fetches apart " + ", ".join(f"{span:.1f}" for span in spans) + " s")


def held(times):
    longest = max(times, default=0)
    return f"{longest:.2f} ms of {len(times)}: {longest / MOST_HELD:.2f} of the {MOST_HELD} ms allowed"


def hold(document_format, document, other, keys, has_ranges):
    """How long one worker with a core of its own is held, in three loads: the longest by an answer, and by a slice."""
    directory = Directory(has_ranges)
    directory.set(document)
    # By the timer, between whose ticks the worker rests: the kernel stops who is busy all the time at that priority.
    gateway = Gateway(directory.server_port, document_format, keys, workers=1, checks={}, prepare=take_a_core)
    gateway.login("nobody")
    for number, next_document in enumerate([other, document, b""], 1):
        gateway.wait(lambda: len(gateway.loads()) >= number)
        time.sleep(1)
        directory.set(next_document)
    answers, slices = gateway.answers(), gateway.slices()
    gateway.stop()
    directory.shutdown()
    return answers, slices


def take_a_core():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("no real-time priority here: the machine's other work is in all holds")


def main():
    keys = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                          check=True, capture_output=True, text=True).stdout
    json_document, lines_document = documents()
    other = json_document.replace(b"User Number", b"User No.")
    print(f"{USERS} users, {WORKERS} workers, refresh_interval {INTERVAL} s")
    for document_format, document, changed in [
        ("json", json_document, other),
        ("json_lines", lines_document, lines_document.replace(b"User Number", b"User No.")),
    ]:
        rows = measure(document_format, document, changed, keys)
        print(f"\n| {document_format} | |\n| --- | --- |")
        for name, value in rows:
            print(f"| {name} | {value} |", flush=True)
    print("\n| one worker with a core of its own, three loads | longest hold by an answer | longest hold by a slice |")
    print("| --- | --- | --- |")
    for name, document_format, document, changed, has_ranges in [
        ("json, in parts", "json", json_document, other, True),
        ("json_lines, in parts", "json_lines", lines_document, lines_document.replace(b"User Number", b"User No."), True),
        ("json, whole: the server has no ranges", "json", json_document, other, False),
    ]:
        answers, slices = hold(document_format, document, changed, keys, has_ranges)
        print(f"| {name} | {held(answers)} | {held(slices)} |", flush=True)


if __name__ == "__main__":
    main()
