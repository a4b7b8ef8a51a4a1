"""Measures password hashing inside a real Envoy beside the reference crates, in the VM and native.

Usage: ENVOY=/path/to/envoy python3 tests/bench/hash.py    (from the crate's folder)
"""

import json
import os
import subprocess
import tempfile

TARGET = os.environ.get("CARGO_TARGET_DIR", "target")
ENVOY = os.environ.get("ENVOY", "envoy")


def main():
    build("hash_vm", "--target", "wasm32-wasip1")
    build("hash_native")
    native = parse(output(f"{TARGET}/release/examples/hash_native"))
    vm = parse(envoy_log(os.path.abspath(f"{TARGET}/wasm32-wasip1/release/examples/hash_vm.wasm")))
    print_table(native, vm)


def build(example, *options):
    subprocess.run(["cargo", "build", "-q", "-j1", "--release", "--example", example, *options], check=True)


def output(program):
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()


def parse(lines):
    """{name: [median of ours, of theirs, least of ours, of theirs]} in milliseconds."""
    found = {}
    for line in lines:
        if "BENCH " in line:
            words = line.split("BENCH ", 1)[1].split()
            if len(words) >= 5:
                found[words[0]] = [float(word) for word in words[1:5]]
    return found


def envoy_log(wasm):
    """The log of an Envoy that runs the filter once, on its main thread, with no listener and no port."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(bootstrap(wasm), file)
        file.flush()
        command = [ENVOY, "-c", file.name, "--use-dynamic-base-id", "--concurrency", "1", "-l", "info"]
        envoy = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            for line in envoy.stderr:
                yield line
                if "BENCH end" in line:
                    return
        finally:
            envoy.terminate()
            envoy.wait()


def bootstrap(wasm):
    vm = {"vm_id": "bench", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": wasm}}}
    service = {
        "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
        "singleton": True,
        "config": {"name": "bench", "vm_config": vm},
    }
    return {"bootstrap_extensions": [{"name": "envoy.bootstrap.wasm", "typed_config": service}]}


def print_table(native, vm):
    """The least times tell most on a machine that does other work too."""
    print("| hash | native crate, least ms | VM crate, least | VM ours, least | ours/crate, least | ours/crate, median | VM ours/native crate, least |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (ours_median, crate_median, ours, crate) in vm.items():
        native_crate = native[name][3]
        ratios = f"{ours / crate:.2f} | {ours_median / crate_median:.2f} | {ours / native_crate:.2f}"
        print(f"| {name} | {native_crate:.1f} | {crate:.1f} | {ours:.1f} | {ratios} |")


if __name__ == "__main__":
    main()
