"""The software bill of materials of the wasm file, as CycloneDX 1.6: no time and no serial number, so that it stays the same."""


def bill(crates, wasm_digest):
    """What is in the wasm file with this SHA-256."""
    others = crates.others()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(crates.filter, wasm_digest, "application")},
        "components": [component(package, crates.checksum(package), "library") for package in others],
        "dependencies": [dependencies(crates, package) for package in (crates.filter, *others)],
    }


def component(package, digest, kind):
    described = {
        "type": kind,
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "licenses": [{"expression": expression(package["license"])}],
        "purl": reference(package),
    }
    return described | ({"hashes": [{"alg": "SHA-256", "content": digest}]} if digest else {})


def dependencies(crates, package):
    needed = sorted(reference(other) for other in crates.needs(package))
    return {"ref": reference(package), "dependsOn": needed}


def reference(package):
    """The package's URL (https://github.com/package-url/purl-spec)."""
    return f"pkg:cargo/{package['name']}@{package['version']}"


def expression(license_):
    """Crates from before SPDX expressions separate alternatives by a slash."""
    return license_.replace("/", " OR ")
