"""What Cargo knows of the filter: its own package, the crates whose code is in the wasm file, and their checksums."""

import json
import subprocess
import tomllib

TARGET = "wasm32-wasip1"


class Crates:
    """The crate graph of the filter, as Cargo.lock and the target have it."""

    def __init__(self, root):
        graph = json.loads(cargo(root, "metadata", "--format-version", "1", "--filter-platform", TARGET))
        linked = linked_crates(root)
        named = {package["id"]: package for package in graph["packages"]}
        self.packages = {crate: package for crate, package in named.items() if identity(package) in linked}
        self.nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
        self.filter = self.packages[graph["resolve"]["root"]]
        self.checksums = checksums(root)

    def others(self):
        """All packages whose code is in the wasm file but the filter's own, by name and version."""
        others = (package for package in self.packages.values() if package is not self.filter)
        return sorted(others, key=identity)

    def needs(self, package):
        """What a package links: neither what its build or its tests need, nor what the compiler runs for it."""
        needed = (other["pkg"] for other in self.nodes[package["id"]]["deps"] if is_normal(other))
        return [self.packages[crate] for crate in needed if crate in self.packages]

    def checksum(self, package):
        """SHA-256 of the crate's archive; None of what is not from a registry."""
        return self.checksums.get(identity(package))


def cargo(root, *arguments):
    return subprocess.run(["cargo", *arguments, "--locked"], cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked_crates(root):
    """Names and versions: `cargo tree` alone leaves out the features that only tests ask for."""
    tree = cargo(root, "tree", "--edges", "normal,no-proc-macro", "--target", TARGET, "--prefix", "none", "--format", "{p}")
    lines = (line.split() for line in tree.splitlines() if line)
    return {(name, version.removeprefix("v")) for name, version, *_ in lines}


def identity(package):
    return package["name"], package["version"]


def checksums(root):
    lock = tomllib.loads((root / "Cargo.lock").read_text())
    return {identity(package): package.get("checksum") for package in lock["package"]}


def is_normal(dependency):
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])
