"""python3 envoy/package WASM FOLDER: the filter as container images for Istio and Envoy Gateway, with a bill of materials.

The same wasm file and the same Cargo.lock make the same bytes, on any day and in any folder.
"""

import hashlib
import pathlib
import shutil
import sys

from archive import gzipped, tar
from crates import Crates
from oci import Layout, encoded
from sbom import bill

ROOT = pathlib.Path(__file__).resolve().parents[2]

IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WASM_CONFIG = "application/vnd.module.wasm.config.v1+json"
WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
EMPTY = "application/vnd.oci.empty.v1+json"
SBOM = "application/vnd.cyclonedx+json"


def main(wasm, folder):
    wasm, folder, crates = pathlib.Path(wasm).read_bytes(), pathlib.Path(folder), Crates(ROOT)
    name, version = crates.filter["name"], crates.filter["version"]
    materials = encoded(bill(crates, hashlib.sha256(wasm).hexdigest()))
    layout = package(wasm, materials, version, labels(crates.filter))
    shutil.rmtree(folder, ignore_errors=True)
    write(folder / name, layout.files())
    write(folder, [(f"{name}-{version}.tar", tar(layout.files())), (f"{name}-{version}.cdx.json", materials)])
    for manifest in layout.manifests:
        print(manifest["digest"], f"{folder / name}:{manifest['annotations']['org.opencontainers.image.ref.name']}")


def package(wasm, materials, version, about):
    layout = Layout()
    image = compatible(layout, wasm, version, about)
    artifact(layout, wasm, f"{version}-artifact", about)
    attach(layout, materials, f"{version}-sbom", image)
    return layout


def compatible(layout, wasm, tag, about):
    """The variant that is a container image like others (https://github.com/solo-io/wasm, spec/spec-compat.md)."""
    archive = tar([("plugin.wasm", wasm)])
    config = layout.blob(IMAGE_CONFIG, encoded(image_config(archive, about)))
    annotations = about | {"module.wasm.image/variant": "compat"}
    return layout.manifest(tag, config, [layout.blob(IMAGE_LAYER, gzipped(archive))], annotations=annotations)


def image_config(archive, about):
    return {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {"Labels": about},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(archive).hexdigest()}"]},
    }


def artifact(layout, wasm, tag, about):
    """The variant with media types of its own (the same, spec/spec.md): two layers, or Istio won't have it."""
    config = encoded({"type": "envoy_proxy", "abiVersions": ["0.2.1"], "config": {"root_ids": [""]}})
    layers = [layer(layout, WASM_CONFIG, "runtime-config.json", config), layer(layout, WASM_LAYER, "plugin.wasm", wasm)]
    layout.manifest(tag, layout.blob(WASM_CONFIG, config), layers, annotations=about)


def attach(layout, materials, tag, image):
    """The bill of materials as what registries call a referrer of the image (OCI 1.1)."""
    layers = [layer(layout, SBOM, "sbom.cdx.json", materials)]
    layout.manifest(tag, layout.blob(EMPTY, b"{}"), layers, artifactType=SBOM, subject=image)


def layer(layout, media_type, title, content):
    return layout.blob(media_type, content, {"org.opencontainers.image.title": title})


def labels(filter_):
    fields = {"title": "name", "version": "version", "licenses": "license", "description": "description"}
    return {f"org.opencontainers.image.{label}": filter_[field] for label, field in fields.items()}


def write(folder, files):
    for name, content in files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


main(*sys.argv[1:])
