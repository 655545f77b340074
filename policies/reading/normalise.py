"""Planned resources in one spelling: whatever class, List, Patch or provider version registered them.

Three sources give the same records: the planner's `plan.json`, a `pulumi stack export`, and the resources that the engine
hands to a policy pack.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.reading.resource import Resource
from policies.reading.values import is_known, is_unknown, known, mapping, sequence, unknowns

CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterIssuer",
        "ClusterNetworkPolicy",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "CustomResourceDefinition",
        "FlowSchema",
        "GatewayClass",
        "IngressClass",
        "KongClusterPlugin",
        "KongLicense",
        "KongVault",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)
"""Kinds that live outside every namespace (`kubectl api-resources --namespaced=false`)."""

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
PROVIDER: Final = "pulumi:providers:kubernetes"
OPTIONS: Final = {
    **{
        name: name
        for name in ("ignoreChanges", "retainOnDelete", "protect", "external", "pendingReplacement", "delete", "initErrors", "provider")
    },
    "importID": "import",
}
"""Resource options of a plan that weaken a guard, and what they are called in `Resource.options`."""

_TOKEN = re.compile(r"^kubernetes:(?:(?P<group>[^:/]+)/)?(?P<version>v\d\w*):(?P<kind>[A-Z]\w*)$")
_PACKAGE_VERSION = re.compile(r"^(azure-native)_[a-z]+_v\d{8}\w*:")
"""A package that azure-native makes for one API version (`azure-native_network_v20240101:network:...`, since its version 3)."""
_PROVIDER_VERSION = re.compile(r"^(?P<package>[^:]+:[^:/]+)/v\d{8}\w*(?P<type>:.+)$")
_NO_OBJECTS: Final = ("kubernetes:yaml", "kubernetes:helm.sh", "kubernetes:kustomize")
"""Modules of the provider whose types are no Kubernetes objects but make some."""


NAMED_BY: Final = (
    *(("allocationId",), ("arn",), ("certificate",), ("dnsName",), ("ipAddress",), ("privateIPAddresses",)),
    *(("principalId",), ("identity", "principalId"), ("oidcIssuerProfile", "issuerURL")),
)
"""Outputs that name a resource, as AWS, Azure and the program's own authorities make them: Azure's identities by their object in Entra ID,
its clusters by who signs their tokens."""

VERSION: Final = "latestVersion"
"""The output of a launch template of AWS by which others name its newest version, a number."""


def normalise(records: Iterable[Mapping[str, Any]]) -> tuple[Resource, ...]:
    """Return one `Resource` for each object of the records of a plan, in their order."""
    records = list(records)
    defaults = {
        record["urn"]: namespace
        for record in records
        if record["type"] == PROVIDER and isinstance(namespace := _inputs(record).get("namespace"), str)
    }
    return tuple(resource for record in records for resource in _resources(record, defaults))


def _resources(record: Mapping[str, Any], defaults: Mapping[str, str]) -> Iterator[Resource]:
    provider = str(record.get("provider") or "").rpartition("::")[0]
    namespace = defaults.get(provider, "default")
    shared: dict[str, Any] = {
        "urn": record["urn"],
        "token": record["type"],
        "custom": bool(record.get("custom", True)),
        "parent": record.get("parent") or "",
        "dependencies": tuple(sequence(record.get("dependencies"))),
        "property_dependencies": {key: tuple(sequence(urns)) for key, urns in mapping(record.get("propertyDependencies")).items()},
        "known_as": frozenset(filter(is_id, _names(record))),
        "options": {name: record[key] for key, name in OPTIONS.items() if record.get(key)},
    }
    props = known(_inputs(record))
    yield from _objects(props, shared, namespace)


def _names(record: Mapping[str, Any]) -> Iterator[Any]:
    outputs = mapping(record.get("outputs"))
    yield record.get("id")
    for path in NAMED_BY:
        answer = _answered(outputs, path)
        if _answered(mapping(record.get("inputs")), path) is None:  # else the program says it
            yield from sequence(answer) if is_known(answer, list) else (answer,)
    if is_known(version := outputs.get(VERSION), int) or is_known(version, float):
        yield f"{version:.0f}"


def _answered(said: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path through mappings, None where a step is absent."""
    for key in path:
        said = mapping(said).get(key) if is_known(said, dict) else None
    return said


def is_id(value: Any) -> bool:
    """Say whether a value of a record is a name that is known."""
    return isinstance(value, str) and bool(value) and not is_unknown(known(value))


def _inputs(record: Mapping[str, Any]) -> Mapping[str, Any]:
    inputs = mapping(record.get("inputs"))
    if record.get("custom", True):
        return inputs
    # The engine shows a component's inputs to resource policies only, its outputs to stack policies only.
    return {**mapping(record.get("outputs")), **inputs}


def _objects(props: Mapping[str, Any], shared: Mapping[str, Any], namespace: str) -> Iterator[Resource]:
    token: str = shared["token"]
    if token == RELEASE:
        name = _plain(props.get("name"), _auto(shared["urn"]))
        place = _plain(props.get("namespace"), namespace)
        yield Resource(kind="Release", group="helm.sh", version="v3", namespace=place, name=name, props=props, **shared)
        return
    if not token.startswith("kubernetes:") or token.startswith(_NO_OBJECTS):
        yield Resource(kind=_without_version(token), name=_pulumi_name(shared["urn"]), props=props, **shared)
        return
    kind, group, version = _identity(token, props)
    items: Any = props.get("items")
    if kind.endswith("List") and is_known(items, list):
        listed = [item for item in sequence(items) if is_known(item, dict)]
        for item in listed:
            yield from _objects(
                {"apiVersion": props.get("apiVersion"), "kind": kind.removesuffix("List"), **mapping(item)}, shared, namespace
            )
        if len(listed) == len(sequence(items)):
            return  # else the list stays, as an object of which a part is not known
    metadata = mapping(props.get("metadata")) if is_known(props.get("metadata"), dict) else {}
    plain = kind.removesuffix("Patch")
    place = "" if plain in CLUSTER_SCOPED else _plain(metadata.get("namespace"), namespace)
    name = _plain(metadata.get("name"), _auto(shared["urn"]))
    yield Resource(kind=kind, group=group, version=version, namespace=place, name=name, props=props, **shared)


def _identity(token: str, props: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return kind, group and version: what the object says of itself, and the token where it says nothing."""
    match = _TOKEN.match(token)
    kind, api_version = props.get("kind"), props.get("apiVersion")
    said_kind = match["kind"] if match else token.rpartition(":")[2]
    result = kind if is_known(kind, str) and kind else said_kind
    if said_kind.endswith("Patch") and not result.endswith("Patch"):
        result += "Patch"
    if is_known(api_version, str) and api_version:
        group, _, version = api_version.rpartition("/")
        return result, group, version
    if match:
        return result, "" if match["group"] in {None, "core"} else match["group"], match["version"]
    return result, "", ""


def _plain(value: Any, default: str) -> str:
    if is_unknown(value):
        return "<unknown>"
    return value if isinstance(value, str) and value else default


def _auto(urn: str) -> str:
    """Return how an object is called whose name the provider will make up: no real object can have this name."""
    return f"{_pulumi_name(urn)}-<auto>"


def _pulumi_name(urn: str) -> str:
    return urn.split("::", 3)[-1]


def _without_version(token: str) -> str:
    token = _PACKAGE_VERSION.sub(r"\1:", token)
    match = _PROVIDER_VERSION.match(token)
    return f"{match['package']}{match['type']}" if match else token


def has_unknown_identity(resource: Resource) -> bool:
    """Say whether it is unknown which object this is: its kind, namespace or name."""
    if "<unknown>" in {resource.namespace, resource.name}:
        return True
    return any(
        True for key in ("kind", "apiVersion", "metadata") if is_unknown(resource.props.get(key)) for _ in unknowns(resource.props[key])
    )
