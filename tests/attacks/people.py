"""The users and clients whom `timing.py` tries to tell apart, in a gateway's configuration and in a directory."""

import base64
import contextlib
import hashlib
import http.server
import json
import multiprocessing

import gateway

USERS = 100
# Of PBKDF2: about 1 ms in the VM.
CHEAP = 1_000
# A quarter of the mixed users are dearer by this factor.
DEARER = 4
LOOKUP = {
    "cluster": "directory",
    "path": "/{identifier}",
    "user": {"at": "/rows/0", "id": "/id", "password_hash": "/hash", "status": "/status"},
}
COSTS = {"base": 1, "half more": 1.5, "a fiftieth more": 1.02}
WEB = [f"web{number:03}" for number in range(20)]


def names(kind, count=USERS):
    """Names that tell nothing of those who have them."""
    return [f"person{number:06}" for number in range(["wrong", "unknown", "locked"].index(kind), 3 * count, 3)]


def crowd(samples):
    """As many as are asked for, the warm-up included."""
    return samples + samples // 10


def configuration(directory_port, options):
    free = {limit: {"failures": 1_000_000} for limit in ["identifier", "user", "friend", "address", "client"]}
    document = gateway.document(**gateway.PACING) | {"allow_weak_hashes": True, "attempt_limits": free}
    document["auth_sources"] = [
        source("cheap", people(pbkdf2(CHEAP))),
        source("dear", people(gateway.PASSWORD_HASH)),
        source("mixed", crowd_of(options.samples)),
        source("broken", [person(name, pbkdf2(round(CHEAP * cost))) for name, cost in COSTS.items()]),
        {"id": "lookup", "identifiers": ["username"], "lookup": LOOKUP},
    ]
    sources = [source["id"] for source in document["auth_sources"]]
    document["clients"] = [client(name, sources) for name in WEB]
    filters = [gateway.token_endpoint(document, disabled=True)]
    bootstrap = gateway.bootstrap(gateway.public_listener("gateway", filters, [gateway.TOKEN_ROUTE]))
    address = {"socket_address": {"address": "127.0.0.1", "port_value": directory_port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {"name": "directory", "load_assignment": {"cluster_name": "directory", "endpoints": endpoints}}
    bootstrap["static_resources"]["clusters"].append(cluster)
    return bootstrap


def source(name, users):
    return {"id": name, "identifiers": ["username"], "users": users}


def people(password_hash):
    return [person(name, password_hash, status(kind)) for kind in ["wrong", "locked"] for name in names(kind)]


def crowd_of(samples):
    dear, cheap = pbkdf2(CHEAP * DEARER), pbkdf2(CHEAP)
    return [person(name, cheap if number % 4 else dear) for number, name in enumerate(names("wrong", crowd(samples)))]


def status(kind):
    return "locked" if kind == "locked" else "active"


def person(name, password_hash, status="active"):
    return {"id": f"id-{name}", "identifiers": {"username": name}, "password_hash": password_hash, "status": status}


def pbkdf2(iterations):
    return f"$pbkdf2-sha256$i={iterations}$MDEyMzQ1Njc4OWFiY2RlZg${'A' * 43}"


def client(name, sources):
    return {"id": name, "type": "web", "secret_hashes": [secret_hash("RIGHT")], "auth_sources": sources,
            "grants": ["password", "client_credentials"]}


def secret_hash(secret):
    salt = b"0123456789abcdef"
    return f"$sha256${base64url(salt)}${base64url(hashlib.sha256(salt + secret.encode()).digest())}"


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# --- The directory ---


@contextlib.contextmanager
def directory():
    """The port of a directory with the same people: in a process of its own, so that it takes no turns with the caller."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Directory)
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
    process.start()
    server.socket.close()
    try:
        yield server.server_port
    finally:
        process.terminate()
        process.join()


def answers():
    """What the directory answers, by path: bytes that are there before anyone asks."""
    rows = {f"/{name}": [] for name in names("unknown")}
    for kind in ["wrong", "locked"]:
        rows |= {f"/{name}": [{"id": f"id-{name}", "hash": pbkdf2(CHEAP), "status": status(kind)}] for name in names(kind)}
    return {path: http_answer(json.dumps({"rows": found})) for path, found in rows.items()}


def http_answer(text):
    return f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode()


class Directory(http.server.BaseHTTPRequestHandler):
    """Finds nobody more quickly than others."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answers = answers()

    def do_GET(self):
        self.wfile.write(self.answers[self.path])

    def log_message(self, *_):
        pass
