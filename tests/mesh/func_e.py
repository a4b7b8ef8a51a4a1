"""The demo, run by func-e as its page says."""

import os
import pathlib
import re
import subprocess

from cluster import KUBERNETES
from http_client import Target
from lab import until
from stories import check

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/func-e.md"


class FuncE:
    """func-e with an Envoy of the machine's, since it could fetch none here."""

    name = "func-e"
    network = 50

    def __init__(self, lab, keys, envoy):
        self.lab, self.keys, self.envoy = lab, keys, envoy.resolve()
        self.folder = lab.folder / "func-e"
        self.folder.mkdir()
        self.target = Target("127.0.0.1", 10000)
        folders = {f"FUNC_E_{name}": str(self.folder) for name in ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")}
        self.environment = {"PATH": f"{KUBERNETES}:{os.environ['PATH']}", "ENVOY_PATH": str(self.envoy), **folders}

    def start(self):
        """The page's commands, in a folder in which `make build` was run."""
        for name in ("envoy", "target"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "signing-key.pem").write_text(self.keys.signing)
        (self.folder / "refresh-token-key").write_text(self.keys.refresh)
        commands = re.search(r"```sh server\n(.*?)```", PAGE.read_text(), re.S)[1]
        self.lab.start("func-e", "sh", "-euc", commands, cwd=self.folder, env=self.environment)
        until("the demo to answer", lambda: self.target.get("/oauth2/jwks").status == 200, 60)

    def end(self):
        self.lab.stop("func-e")


def login_and_service(form):
    """A login opens the demo's service."""
    token = form.target.log_in(None).json()["access_token"]
    check((form.target.get("/api/").status, form.target.get("/api/", token).status) == (401, 200), "the service")


def which_envoy(form):
    """ENVOY, ENVOY_PATH and a func-e on the PATH lead to the Envoy that is meant."""
    script, bare = ROOT / "envoy/which-envoy", {"PATH": "/usr/bin:/bin", "HOME": str(form.folder)}
    stand_in = form.folder / "bin"
    stand_in.mkdir()
    (stand_in / "func-e").write_text(f"#!/bin/sh\ntest \"$1\" = which && echo {form.envoy}\n")
    (stand_in / "func-e").chmod(0o755)
    path = {"PATH": f"{stand_in}:/usr/bin:/bin"}
    ways = [{"ENVOY": str(form.envoy)}, {"ENVOY_PATH": str(form.envoy)}, path, path | {"ENVOY": "func-e"}, {"ENVOY": str(stand_in / "func-e")}]
    found = [subprocess.run(["sh", script], env=bare | way, stdout=subprocess.PIPE).stdout.decode().strip() for way in ways]
    check(set(found) == {str(form.envoy)}, f"{found}")


def saved_dump(form):
    """What func-e saves has no key that comes from the environment."""
    dump = until("func-e to save Envoy's configuration", lambda: next(form.folder.rglob("config_dump.json"), None), 20)
    text = dump.read_text()
    check("token_endpoint" in text, "the filter is not in it")
    check(form.keys.refresh not in text and form.keys.signing.splitlines()[5] not in text, "a key is in it")


STORIES = [login_and_service, which_envoy, saved_dump]
