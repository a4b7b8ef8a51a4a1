"""Checks every manifest in envoy/istio and envoy/gateway against the schema of its kind, in which no field may be unknown."""

import copy
import json
import pathlib
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
SCHEMAS = json.loads((ROOT / "tests/vectors/kubernetes.schema.json").read_text())


def main():
    files = sorted(path for folder in ("istio", "gateway") for path in (ROOT / "envoy" / folder).glob("*.yaml"))
    checked = [(file.relative_to(ROOT), document) for file in files for document in yaml.safe_load_all(file.read_text())]
    wrong = [f"{file}: {problem}" for file, document in checked for problem in problems(document)]
    wrong += [f"{file}: an unknown field was not seen" for file, document in checked if not problems(with_a_mistake(document))]
    if wrong or not checked:
        sys.exit("\n".join(wrong) or "no manifests")
    print(f"{len(checked)} manifests are as their schemas want them")


def problems(document):
    """What is wrong with a manifest, each with its place."""
    kind = SCHEMAS["kinds"].get(f"{document.get('apiVersion')} {document.get('kind')}")
    if kind is None:
        return ["no schema of this kind"]
    schema = {"$ref": f"#/definitions/{kind}", "definitions": SCHEMAS["definitions"]}
    errors = jsonschema.Draft7Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in errors]


def with_a_mistake(document):
    """The same with a field that Kubernetes would drop without a word."""
    document = copy.deepcopy(document)
    document["spec"]["allowOnHeadersStopIteration"] = True
    return document


main()
