"""Makes the schema files of this folder from the pinned Go modules: `python tests/schemas/refresh.py --kong FILE`.

Each module is fetched with the Go command; its CustomResourceDefinitions are reduced to what decides whether an object is accepted (no descriptions, no status, no printer columns)
and written as one deterministic `<group>.json.gz`, so that a refresh without a change of version changes no byte.
Kong's definitions come from no Go module that can be had: they are read from the file given by `--kong` (kept outside this repository), which lacks KongConsumer; its four documented fields are written here.
"""

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the definitions of one group of kinds come from: a Go module, its version, and the files in it."""

    group: str
    module: str
    version: str
    pattern: str


SOURCES = (
    Source(
        group="istio",
        module="istio.io/istio",
        version="v0.0.0-20260827124520-eed52ebb66ad",  # 1.31
        pattern="manifests/charts/base/files/crd-all.gen.yaml",
    ),
    Source(group="gateway-api", module="sigs.k8s.io/gateway-api", version="v1.7.0", pattern="config/crd/standard/*.yaml"),
    Source(
        group="envoy-gateway",
        module="github.com/envoyproxy/gateway",
        version="v1.9.1",
        pattern="charts/gateway-helm/charts/crds/crds/generated/*.yaml",
    ),
    Source(group="cert-manager", module="github.com/cert-manager/cert-manager", version="v1.21.2", pattern="deploy/crds/*.yaml"),
)
KUBERNETES = Source(group="kubernetes", module="k8s.io/kubernetes", version="v1.36.3", pattern="api/openapi-spec/swagger.json")

BUILT_IN = frozenset(
    {
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("batch/v1", "CronJob"),
        ("batch/v1", "Job"),
        ("networking.k8s.io/v1", "Ingress"),
        ("networking.k8s.io/v1", "IngressClass"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("policy/v1", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("scheduling.k8s.io/v1", "PriorityClass"),
        ("v1", "ConfigMap"),
        ("v1", "LimitRange"),
        ("v1", "Namespace"),
        ("v1", "Pod"),
        ("v1", "ResourceQuota"),
        ("v1", "Secret"),
        ("v1", "Service"),
        ("v1", "ServiceAccount"),
    }
)
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

KONG_CONSUMER: Json = {
    "type": "object",
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "username": {"type": "string"},
        "custom_id": {"type": "string"},
        "credentials": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "consumerGroups": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    },
    "x-kubernetes-validations": [
        {"rule": "has(self.username) || has(self.custom_id)", "message": "Need to provide either username or custom_id"}
    ],
}


def module_directory(source: Source) -> Path:
    """The unpacked module. A module that wants a newer Go than ours is unpacked although the command reports an error, so the folder decides."""
    subprocess.run(["go", "mod", "download", f"{source.module}@{source.version}"], check=False, capture_output=True, cwd="/")
    cache = subprocess.run(["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True, cwd="/").stdout.strip()
    directory = Path(cache) / f"{source.module}@{source.version}"
    if not directory.is_dir():
        sys.exit(f"{source.module}@{source.version} could not be fetched")
    return directory


def reduced(node: Any, *, inside_properties: bool = False) -> Any:
    """The node without what never decides about an object; names of properties are kept whatever they are."""
    if isinstance(node, list):
        return [reduced(item) for item in node]
    if not isinstance(node, dict):
        return node
    if inside_properties:
        return {name: reduced(value) for name, value in node.items()}
    kept = {key: value for key, value in node.items() if key not in {"description", "example", "externalDocs"}}
    if "x-kubernetes-validations" in kept:
        kept["x-kubernetes-validations"] = [
            {key: rule[key] for key in ("rule", "message") if key in rule} for rule in kept["x-kubernetes-validations"]
        ]
    return {key: reduced(value, inside_properties=key == "properties") for key, value in kept.items()}


def definitions_in(files: list[Path]) -> Iterator[tuple[str, Json]]:
    """`group/version/Kind` and its reduced schema for every served version in the files."""
    for file in files:
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if not document or document.get("kind") != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    schema = reduced(version["schema"]["openAPIV3Schema"])
                    schema["properties"].pop("status", None)
                    yield f"{spec['group']}/{version['name']}/{spec['names']['kind']}", schema


def built_in_kinds(swagger: Json) -> tuple[dict[str, Json], dict[str, Json]]:
    """The built-in kinds we may write, each a reference, and every definition that they reach."""
    every = swagger["definitions"]
    kinds: dict[str, Json] = {}
    for name, definition in every.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            api_version = "/".join(part for part in (kind["group"], kind["version"]) if part)
            if (api_version, kind["kind"]) in BUILT_IN:
                kinds[f"{api_version}/{kind['kind']}"] = {"$ref": f"#/definitions/{name}"}
    reached: dict[str, Json] = {}
    waiting = [OBJECT_META, *(reference["$ref"].rpartition("/")[2] for reference in kinds.values())]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        definition = {key: value for key, value in reduced(every[name]).items() if key != "x-kubernetes-group-version-kind"}
        if any(name == reference["$ref"].rpartition("/")[2] for reference in kinds.values()):
            definition["properties"].pop("status", None)
        reached[name] = definition
        waiting.extend(references(definition))
    return kinds, reached


def references(node: Any) -> Iterator[str]:
    """Every definition that a node refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def write(group: str, content: Json) -> None:
    """One group as compressed JSON, byte for byte the same for the same content."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    (HERE / f"{group}.json.gz").write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{group}: {len(content['schemas'])} kinds")  # noqa: T201 - a script talks to whoever runs it


def main() -> None:
    """Writes every file of this folder anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kong", type=Path, required=True, help="file with Kong's CustomResourceDefinitions")
    arguments = parser.parse_args()
    for source in SOURCES:
        files = sorted(module_directory(source).glob(source.pattern))
        write(source.group, {"source": f"{source.module}@{source.version}", "schemas": dict(definitions_in(files))})
    kong = dict(definitions_in([arguments.kong]))
    kong.setdefault("configuration.konghq.com/v1/KongConsumer", KONG_CONSUMER)
    write("kong", {"source": arguments.kong.name, "schemas": kong})
    swagger = json.loads((module_directory(KUBERNETES) / KUBERNETES.pattern).read_text(encoding="utf-8"))
    kinds, definitions = built_in_kinds(swagger)
    write("kubernetes", {"source": f"{KUBERNETES.module}@{KUBERNETES.version}", "schemas": kinds, "definitions": definitions})


if __name__ == "__main__":
    main()
