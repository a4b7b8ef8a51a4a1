"""Builds the control planes from their Go modules, once, into .tools/mesh."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT / ".tools" / "mesh"

ISTIO = {"1.31": "v0.0.0-20260827124520-eed52ebb66ad", "1.30": "v0.0.0-20260423205519-b01690e6db7d"}
ENVOY_GATEWAY = {"1.9.1": "v1.9.1", "1.7.0": "v1.7.0"}


@dataclasses.dataclass
class Program:
    """What is built: in which folder of .tools/mesh, out of which module (None: those of go.mod), and about how long it takes."""

    folder: str
    package: str
    module: str | None
    seconds: int
    arguments: tuple = ()

    @property
    def path(self):
        return TOOLS / self.folder / self.package.rsplit("/", 1)[1]


ISTIO_ARGUMENTS = ("-tags", "vtprotobuf,disable_pgv")


def programs():
    yield Program("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", None, 200)
    yield Program("kubernetes", "k8s.io/kubernetes/cmd/kubectl", None, 25)
    yield Program("kubernetes", "github.com/google/go-containerregistry/cmd/crane", None, 5)
    yield Program("kubernetes", "github.com/tetratelabs/func-e/cmd/func-e", None, 15)
    for name, version in ISTIO.items():
        for package, seconds in (("./pilot/cmd/pilot-discovery", 240), ("./pilot/cmd/pilot-agent", 10), ("./istioctl/cmd/istioctl", 40)):
            yield Program(f"istio-{name}", package, f"istio.io/istio@{version}", seconds, ISTIO_ARGUMENTS)
    for name, version in ENVOY_GATEWAY.items():
        yield Program(f"envoy-gateway-{name}", "./cmd/envoy-gateway", f"github.com/envoyproxy/gateway@{version}", 200)


def build():
    """Builds what is missing, and tells how it goes. Returns the seconds that it took."""
    missing = [program for program in programs() if not program.path.exists()]
    started, left = time.monotonic(), sum(program.seconds for program in missing)
    done = 0
    for at, program in enumerate(missing, 1):
        passed = time.monotonic() - started
        remaining = (left - done) * (passed / done if done else 1)
        tell(f"[{at}/{len(missing)}] building {program.folder}/{program.path.name}; about {remaining / 60:.0f} min left")
        compile(program)
        done += program.seconds
    return time.monotonic() - started


def compile(program):
    folder = module(program.module) if program.module else HERE
    program.path.parent.mkdir(parents=True, exist_ok=True)
    new = program.path.with_suffix(".new")
    flags = ["-buildvcs=false", "-trimpath", "-ldflags", "-s -w", *program.arguments]
    subprocess.run(["go", "build", *flags, "-o", new, program.package], cwd=folder, check=True, env=environment())
    new.rename(program.path)


def module(name):
    """The folder of a module's sources, fetched if need be. It is built there, so that its own go.mod decides."""
    fetched = subprocess.run(["go", "mod", "download", "-json", name], cwd=HERE, check=True, env=environment(), stdout=subprocess.PIPE)
    return pathlib.Path(json.loads(fetched.stdout)["Dir"])


def module_of(folder, name):
    """The folder of a module that another one, in this folder, requires."""
    listed = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", name], cwd=folder, check=True, env=environment(), stdout=subprocess.PIPE)
    return pathlib.Path(listed.stdout.decode().strip())


def environment():
    return os.environ | {"CGO_ENABLED": "0"}


def tell(line):
    print(line, file=sys.stderr, flush=True)
