"""Checks every manifest in envoy/istio and envoy/gateway: no field that its kind doesn't know, and nothing that Istio drops without a word."""

import copy
import json
import pathlib
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
SCHEMAS = json.loads((ROOT / "tests/vectors/kubernetes.schema.json").read_text())


def main():
    files = sorted(path for folder in ("istio", "gateway") for path in (ROOT / "envoy" / folder).rglob("*.yaml"))
    checked = [(file.relative_to(ROOT), document) for file in files for document in yaml.safe_load_all(file.read_text())]
    wrong = [f"{file}: {problem}" for file, document in checked for problem in problems(document)]
    for mistake in (with_an_unknown_field, with_an_untyped_configuration):
        wrong += [f"{file}: {mistake.__name__} is not noticed" for file, document in checked if unnoticed(mistake, document)]
    if wrong or not checked:
        sys.exit("\n".join(wrong) or "no manifests")
    print(f"{len(checked)} manifests are as their kinds want them")


def problems(document):
    """What is wrong with a manifest, each with its place."""
    schema = SCHEMAS.get(f"{document.get('apiVersion')} {document.get('kind')}")
    if schema is None:
        return ["no schema of this kind"]
    errors = jsonschema.Draft7Validator(schema).iter_errors(document)
    found = [f"{error.json_path}: {error.message}" for error in errors]
    return found + (list(untyped(document, "$")) if document["kind"] == "EnvoyFilter" else [])


def untyped(value, path):
    """The places of a `google.protobuf.Any` without a type, for which Istio's webhook refuses an EnvoyFilter, and istiod drops a patch."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []:
        place = f"{path}.{name}"
        is_any = name == "typed_config" or name == "config" and "FilterConfig" in str(value.get("@type"))
        if is_any and "@type" not in inner:
            yield f"{place}: no @type"
        yield from untyped(inner, place)


def unnoticed(mistake, document):
    """Whether a manifest can be spoilt without a problem; one in which there is nothing to spoil can't."""
    spoilt = mistake(copy.deepcopy(document))
    return spoilt is not None and not problems(spoilt)


def with_an_unknown_field(document):
    """Kubernetes would drop it without a word."""
    (document.get("spec", document))["allowOnHeadersStopIteration"] = True
    return document


def with_an_untyped_configuration(document):
    """As plain Envoy has it."""
    for patch in document.get("spec", {}).get("configPatches", []):
        for configuration in patch["patch"]["value"].get("typed_per_filter_config", {}).values():
            configuration["config"] = {}
            return document
    return None


main()
