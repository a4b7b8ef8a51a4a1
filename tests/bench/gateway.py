"""An Envoy of its own for a benchmark: one worker unless told otherwise, and what the kernel knows of its time and memory."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
MODULE_FOLDER = ROOT / "target/module"
PATIENCE = 180

PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$biC0YMo3xwH/z+frQL4zwQ$SuU4DoW7lVj+0l5TmxoxyjbXbA3OldHURmteUUuCP+g"
CLIENT = "client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET"
LOGIN = f"grant_type=password&{CLIENT}&auth_source_id=users&username=user0&password=MOCK_PASSWORD&scope=openid"

PACING = {"slice_ms": 1, "pacing_cluster": "pacing"}
TICK = {"slice_ms": 1}
# A slice longer than any check: each check is done in one go. The pacing cluster is for the signatures alone.
SYNCHRONOUS = {"slice_ms": 100, "pacing_cluster": "pacing"}


# What ends a benchmark from outside, and would leave Envoy running.
ENDINGS = [signal.SIGTERM, signal.SIGHUP]

# The cores that workers run on; all, unless a benchmark sets some apart.
WORKER_CORES = set()


def set_a_core_apart():
    """Gives workers the first core, and all else of the benchmark the others: where the kernel puts a load generator on the
    core of a worker that slept, it takes milliseconds to part them again, which nobody on another machine would see."""
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        WORKER_CORES.add(first)
        os.sched_setaffinity(0, others)


def end_in_order(*_):
    """Ends what was started, as `with` does at any other end, and not by half where the signal comes twice."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(1)


def build(example, *options):
    """Builds an example of this crate and gives its path."""
    subprocess.run(["cargo", "build", "--quiet", "--release", "--example", example, *options], check=True, cwd=ROOT)
    if options:
        return TARGET / "wasm32-wasip1/release/examples" / f"{example}.wasm"
    return TARGET / "release/examples" / example


def build_vm(example):
    return build(example, "--target", "wasm32-wasip1")


def document(users=1, **password_checks):
    """The token endpoint's configuration."""
    return {
        "issuer": "https://gateway.example.com",
        "signing_keys": [{"algorithm": "RS256", "private_key": {"env": "TOKEN_ENDPOINT_SIGNING_KEY"}}],
        "refresh_token_keys": [{"env": "TOKEN_ENDPOINT_REFRESH_TOKEN_KEY"}],
        "auth_sources": [{"id": "users", "identifiers": ["username"], "users": [user(number) for number in range(users)]}],
        "clients": [
            {
                "id": "TENANT_CLIENT_ID",
                "type": "web",
                "secret_hashes": ["$sha256$8n1U_H3olnYuV8FjsEpWTg$-x6ID0gAgmA_spz07wQhRfJtn6ZujiexAHOWrLHyH5Q"],
                "auth_sources": ["users"],
                "grants": ["password", "refresh_token"],
            }
        ],
        "password_checks": password_checks,
    }


def user(number):
    return {"id": f"id-{number}", "identifiers": {"username": f"user{number}"}, "password_hash": PASSWORD_HASH}


def token_endpoint(configuration, **filter_fields):
    return wasm_filter("token_endpoint", TARGET / "wasm32-wasip1/release/token_endpoint.wasm", configuration, **filter_fields)


def wasm_filter(name, code, configuration, **filter_fields):
    """A WebAssembly filter; a dict becomes a Struct, as YAML inside of Envoy's own would, and a text stays one."""
    kind = "Struct" if isinstance(configuration, dict) else "StringValue"
    variables = {"host_env_keys": ["TOKEN_ENDPOINT_SIGNING_KEY", "TOKEN_ENDPOINT_REFRESH_TOKEN_KEY"]}
    vm = {"vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(code)}}}
    plugin = {
        "name": name,
        "allow_on_headers_stop_iteration": True,
        "vm_config": vm | {"environment_variables": variables},
        "configuration": {"@type": f"type.googleapis.com/google.protobuf.{kind}", "value": configuration},
    }
    typed = {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": plugin}
    return {"name": name, "typed_config": typed} | filter_fields


def module_filter(configuration, **filter_fields):
    """The token endpoint as a dynamic module."""
    module = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {"name": "token_endpoint"},
        "filter_name": "token_endpoint",
        "filter_config": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration},
    }
    return {"name": "token_endpoint", "typed_config": module} | filter_fields


def route(path, *switched_on, status=200):
    """A route that Envoy answers itself, for which these filters are switched on."""
    on = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
    direct_response = {"status": status} | ({"body": {"inline_string": "hello\n"}} if status == 200 else {})
    return {
        "match": {"path": path},
        "direct_response": direct_response,
        "typed_per_filter_config": {name: on for name in switched_on},
    }


TOKEN_ROUTE = route("/oauth2/token", "token_endpoint", status=404)
# What other services' requests stand for: the least that Envoy can do for one, so that every delay shows.
OTHER_ROUTE = route("/other")


def listener(name, filters, routes, address):
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "use_remote_address": True,
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "filter_chains": [chain]} | address


def public_listener(name, filters, routes):
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    return listener(name, filters, routes, {"address": address})


def bootstrap(*listeners):
    """These listeners, and the one that paces password checks."""
    internal = "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    endpoint = {"endpoint": {"address": {"envoy_internal_address": {"server_listener_name": "pacing"}}}}
    assignment = {"cluster_name": "pacing", "endpoints": [{"lb_endpoints": [endpoint]}]}
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 204}}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "bootstrap_extensions": [{"name": "envoy.bootstrap.internal_listener", "typed_config": {"@type": internal}}],
        "static_resources": {
            "listeners": [*listeners, listener("pacing", [], [answer], {"internal_listener": {}})],
            "clusters": [{"name": "pacing", "load_assignment": assignment}],
        },
    }


def logins(host=token_endpoint, **password_checks):
    """A gateway that logs users in at /oauth2/token and answers other requests at /other."""
    filters = [host(document(**password_checks), disabled=True)]
    return bootstrap(public_listener("gateway", filters, [TOKEN_ROUTE, OTHER_ROUTE]))


class Server:
    """A program that serves; `with` ends it."""

    process, ports = None, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def url(self, path, name="gateway"):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def post(self, form):
        """Sends a form to the token endpoint; its status and its text."""
        return request("127.0.0.1", self.ports["gateway"], "POST", "/oauth2/token", form)

    def get(self, path, name="gateway"):
        return request("127.0.0.1", self.ports[name], "GET", path)[1]

    def resident_mib(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


class Gateway(Server):
    """A running Envoy."""

    def __init__(self, configuration, concurrency=1, files={}, options=(), prefix=()):
        """`files` are parts of the configuration that it refers to, by name; `options` are Envoy's; a command that it is
        started by is a `prefix`."""
        for ending in ENDINGS:
            signal.signal(ending, end_in_order)
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        for name, content in {"envoy.json": configuration, **files}.items():
            self.replace(name, content)
        command = [*prefix, os.environ["ENVOY"], "--config-path", "envoy.json", "--admin-address-path", "admin"]
        command += ["--concurrency", str(concurrency), "--disable-hot-restart", "--log-level", "warning", *options]
        environment = os.environ | keys() | {"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(MODULE_FOLDER)}
        started = time.monotonic()
        with open(self.state / "log", "w") as log:
            self.process = subprocess.Popen(command, cwd=self.state, env=environment, stdout=log, stderr=log)
        try:
            self.wait_until_live()
            self.startup_seconds = time.monotonic() - started
            self.place_workers()
            self.ports = self.find_ports()
        except BaseException:
            print((self.state / "log").read_text())
            self.__exit__()
            raise

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.state)

    def replace(self, name, content):
        """At once, as Envoy's file watch wants it."""
        (self.state / "new").write_text(json.dumps(content))
        (self.state / "new").rename(self.state / name)

    def wait_until_live(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                if self.admin("/ready") == "LIVE\n":
                    return
            time.sleep(0.01)
        raise RuntimeError("Envoy does not serve")

    def place_workers(self):
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if WORKER_CORES and (task / "comm").read_text().startswith("wrk:worker_"):
                os.sched_setaffinity(int(task.name), WORKER_CORES)

    def find_ports(self):
        statuses = json.loads(self.admin("/listeners?format=json"))["listener_statuses"]
        addresses = {status["name"]: status["local_address"] for status in statuses}
        return {name: at["socket_address"]["port_value"] for name, at in addresses.items() if "socket_address" in at}

    def admin(self, path):
        host, port = (self.state / "admin").read_text().strip().rsplit(":", 1)
        return request(host, int(port), "GET", path)[1]

    def counters(self):
        """What the filter counted: how exchanges ended, by name."""
        stats = json.loads(self.admin("/stats?format=json&filter=token_endpoint"))["stats"]
        return {stat["name"].rsplit("token_endpoint.", 1)[-1]: stat["value"] for stat in stats if "value" in stat}

    def worker_seconds(self):
        """How long the first worker has run, and how long it stood ready while other threads of the machine ran."""
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "wrk:worker_0":
                ran, waited, _ = (task / "schedstat").read_text().split()
                return int(ran) / 1e9, int(waited) / 1e9
        raise RuntimeError("no worker")

    @contextlib.contextmanager
    def watch_worker(self):
        """Afterwards it holds the seconds that passed, that the worker ran, and that it was kept from its core by other
        programs: what is left of a second then is what a worker can be judged by on a machine that does other work."""
        watch, before, started = {}, self.worker_seconds(), time.monotonic()
        yield watch
        after, wall = self.worker_seconds(), time.monotonic() - started
        ran, kept = after[0] - before[0], after[1] - before[1]
        watch |= {"wall": wall, "ran": ran, "kept": kept, "had": wall - kept}


def request(host, port, method, path, form=None):
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    try:
        connection.request(method, path, form, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except http.client.HTTPException as error:
        raise ValueError(error) from None
    finally:
        connection.close()


def keys(made={}):
    """The keys of this run, as environment variables: an RSA key takes long to make."""
    if not made:
        for variable, algorithm in [("SIGNING_KEY", "RS256"), ("REFRESH_TOKEN_KEY", "refresh-token")]:
            command = [TARGET / "release/token-endpoint", "generate-key", "--algorithm", algorithm]
            made[f"TOKEN_ENDPOINT_{variable}"] = subprocess.check_output(command, text=True).strip()
    return made


def table(*rows):
    """Rows in Markdown, the first of them the head."""
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    lines.insert(1, "| --- " * len(rows[0]) + "|")
    print("\n".join(lines), flush=True)
