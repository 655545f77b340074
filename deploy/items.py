"""What a plan asks for, as what can be deployed: objects, Helm releases and resources of dynamic providers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from deploy.documents import part, text
from deploy.errors import DeployError
from planner import wire
from planner.plan import Plan

_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_OBJECT: Final = "kubernetes:"
_DYNAMIC: Final = f"{wire.DYNAMIC_PACKAGE}:"
_NOT_OBJECTS: Final = ("kubernetes:yaml", "kubernetes:helm.sh", "kubernetes:kustomize")


class Sort(StrEnum):
    """How something is deployed."""

    OBJECT = "object"
    RELEASE = "release"
    DYNAMIC = "dynamic"


class Key(NamedTuple):
    """What an object is found by: one object may have several versions, but one group."""

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Key":
        """Return the key of a manifest or a live object."""
        metadata = part(document, "metadata")
        group = str(document["apiVersion"]).rpartition("/")[0]
        return cls(group, str(document["kind"]), str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))

    def __str__(self) -> str:
        """Return the key as people say it: `Deployment abc/a-v1`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to deploy.

    Attributes:
        urn: its identity in the plan.
        sort: how it is deployed.
        key: what it is found by; of a release, kind `Release` and the release's own namespace and name.
        inputs: its properties; unknown values are sentinels, secrets are sealed.
        after: urns of the items that must be ready first.
        timeout: seconds until it must be ready, where the program says.
        retained: whether it stays when it leaves the plan.
    """

    urn: str
    sort: Sort
    key: Key
    inputs: Mapping[str, Any]
    after: frozenset[str]
    timeout: float | None = None
    retained: bool = False

    @property
    def unknown(self) -> bool:
        """Whether a value of it is known only after something else exists."""
        return wire.has_unknown(dict(self.inputs))

    def __str__(self) -> str:
        """Return the item as people say it."""
        return str(self.key)


def items_of(plan: Plan) -> dict[str, Item]:
    """Return a plan's items by urn, each after everything that it waits for.

    Raises:
        DeployError: with every resource that only the Pulumi CLI can deploy.
    """
    resources = {str(resource["urn"]): resource for resource in plan.resources}
    found = [refusal for resource in plan.resources if (refusal := _refusal(resource))]
    if found:
        raise DeployError(found)
    expand = _expander(resources)
    return {
        urn: Item(
            urn=urn,
            sort=sort,
            key=_key(sort, resource),
            inputs=resource["inputs"],
            after=frozenset(expand(resource.get("dependencies", ()))) - {urn},
            timeout=part(resource, "customTimeouts").get("create"),
            retained=bool(resource.get("retainOnDelete")),
        )
        for urn, resource in resources.items()
        if (sort := _sort(str(resource["type"]))) is not None
    }


def _sort(type_: str) -> Sort | None:
    if type_ == _RELEASE:
        return Sort.RELEASE
    if type_.startswith(_DYNAMIC):
        return Sort.DYNAMIC
    return Sort.OBJECT if type_.startswith(_OBJECT) else None


def _key(sort: Sort, resource: Mapping[str, Any]) -> Key:
    inputs: Mapping[str, Any] = resource["inputs"]
    match sort:
        case Sort.OBJECT:
            return Key.of(inputs)
        case Sort.RELEASE:
            return Key("helm.sh", "Release", str(inputs.get("namespace") or "default"), str(inputs["name"]))
        case Sort.DYNAMIC:
            return Key("pulumi.com", str(resource["type"]).rpartition(":")[2], "", wire.name_of(str(resource["urn"])))


def _refusal(resource: Mapping[str, Any]) -> str | None:
    urn, type_, inputs = str(resource["urn"]), str(resource["type"]), resource["inputs"]
    sort = _sort(type_)
    other = "Deploy this stack with the Pulumi CLI (--with pulumi)."
    if sort is None and resource.get("custom") and not wire.is_provider(type_):
        return f"{urn}: type {type_} is made by a plugin of the Pulumi engine. {other}"
    if resource.get("external"):
        return f"{urn}: is read, not made: what exists elsewhere is known to the Pulumi engine only. {other}"
    if sort is Sort.OBJECT and (type_.startswith(_NOT_OBJECTS) or type_.endswith(("Patch", "List"))):
        return f"{urn}: {type_} stands for several objects, or for a part of one. {other}"
    names = {Sort.RELEASE: text(inputs, "name"), Sort.OBJECT: text(inputs, "metadata", "name")}
    if sort is not None and names.get(sort, urn) in {"", wire.UNKNOWN}:
        return (
            f"{urn}: has no name of its own, or one that is not known yet; only the Pulumi engine makes names up. Give it a name. {other}"
        )
    return None


def _expander(resources: Mapping[str, Mapping[str, Any]]) -> Callable[[Iterable[str]], set[str]]:
    """Return a function that replaces components by what they consist of, and what is no item by what it waits for itself."""
    children: dict[str, list[str]] = {}
    for urn, resource in resources.items():
        children.setdefault(str(resource.get("parent", "")), []).append(urn)
    cache: dict[str, frozenset[str]] = {}

    def leaves(urn: str) -> frozenset[str]:
        if urn not in cache:
            cache[urn] = frozenset()
            resource = resources.get(urn, {})
            if not resource or _sort(str(resource["type"])) is not None:
                cache[urn] = frozenset({urn} if resource else ())
            else:
                below = [*children.get(urn, ()), *resource.get("dependencies", ())]
                cache[urn] = frozenset(leaf for each in below for leaf in leaves(each))
        return cache[urn]

    return lambda urns: {leaf for urn in urns for leaf in leaves(urn)}
