"""python3 tests/mesh/schemas.py: writes tests/vectors/kubernetes.schema.json, by which `make test` checks the manifests.

The schemas are those of the custom resource definitions and of Kubernetes' OpenAPI documents, in which no field may be unknown. Of
fields that no manifest has, only the name is kept.
"""

import json

import yaml
from build import ENVOY_GATEWAY, HERE, ISTIO, ROOT, module, module_of

MANIFESTS = [path for folder in ("istio", "gateway") for path in (ROOT / "envoy" / folder).rglob("*.yaml")]
KEPT = ["type", "enum", "required", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "format"]


def main():
    documents = [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]
    names = set().union(*map(names_in, documents))
    schemas = dict(custom(names)) | dict(built_in(names))
    kinds = sorted({f"{document['apiVersion']} {document['kind']}" for document in documents})
    for kind in kinds:
        schemas[kind]["properties"] |= {"apiVersion": True, "kind": True, "metadata": True}
    lines = [f"{json.dumps(kind)}: {json.dumps(schemas[kind], separators=(',', ':'), sort_keys=True)}" for kind in kinds]
    (ROOT / "tests/vectors/kubernetes.schema.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def names_in(value):
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def custom(names):
    istio = module(f"istio.io/istio@{next(iter(ISTIO.values()))}")
    gateway = module(f"github.com/envoyproxy/gateway@{next(iter(ENVOY_GATEWAY.values()))}") / "charts/gateway-helm/charts/crds/crds"
    files = [istio / "manifests/charts/base/files/crd-all.gen.yaml", *module_of(istio, "sigs.k8s.io/gateway-api").glob("config/crd/standard/*.yaml"),
             *gateway.glob("generated/*.yaml")]
    for file in files:
        for crd in yaml.safe_load_all(file.read_text()):
            if crd and crd["kind"] == "CustomResourceDefinition":
                for version in crd["spec"]["versions"]:
                    kind = f"{crd['spec']['group']}/{version['name']} {crd['spec']['names']['kind']}"
                    yield kind, pruned(version["schema"]["openAPIV3Schema"], names, {})


def built_in(names):
    specifications = module_of(HERE, "k8s.io/kubernetes") / "api/openapi-spec/v3"
    for file, version, kind, name in (
        ("api__v1_openapi.json", "v1", "ConfigMap", "io.k8s.api.core.v1.ConfigMap"),
        ("apis__apps__v1_openapi.json", "apps/v1", "Deployment", "io.k8s.api.apps.v1.Deployment"),
    ):
        definitions = json.loads((specifications / file).read_text())["components"]["schemas"]
        yield f"{version} {kind}", pruned(definitions[name], names, definitions, is_patch=kind == "Deployment")


def pruned(schema, names, definitions, is_patch=False):
    """What is checked of a schema. A patch needs no field."""
    schema = referred(schema, definitions)
    kept = {key: schema[key] for key in KEPT if key in schema and not (is_patch and key == "required")}
    inner = lambda part: pruned(part, names, definitions, is_patch)
    if "properties" in schema:
        kept["properties"] = {name: inner(part) if name in names else True for name, part in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            kept["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = inner(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = inner(schema["items"])
    if schema.get("x-kubernetes-int-or-string"):
        kept.pop("type", None)
    return kept


def referred(schema, definitions):
    reference = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", []) if "$ref" in part), None)
    return definitions[reference.rsplit("/", 1)[1]] if reference else schema


main()
