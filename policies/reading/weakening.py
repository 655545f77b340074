"""Pulumi options and annotations that take a resource out of the program's hands: what is judged is then not what runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.reading.cloud.joined import provider_of
from policies.reading.normalise import RELEASE
from policies.reading.opaque import Role, kind_of
from policies.reading.resource import Resource

HARMLESS_CHANGES: Final = frozenset({"spec.replicas", "status", "count", "agentPoolProfiles[0].count", "scalingConfig.desiredSize"})
"""Properties that others may change without moving the boundary: an autoscaler owns the replicas, and how many nodes there are."""

HARMLESS_PREFIXES: Final = ("status.", "metadata.managedFields")


@dataclass(frozen=True, kw_only=True)
class Weakening:
    """One option that weakens a guard."""

    option: str
    """The option as it is written in the program, with its value."""
    reason: str


def is_guard(resource: Resource) -> bool:
    """Say whether the resource carries the boundary: a kind that decides who reaches whom, a release that brings the mesh, a part of a cloud."""
    kind = kind_of(resource)
    return resource.token == RELEASE or (kind is not None and kind.role is Role.BOUNDARY) or bool(provider_of(resource))


def weakenings(resource: Resource, by_urn: Mapping[str, Resource]) -> Iterator[Weakening]:
    """Yield every option of a guard that makes the plan say something else than what will run."""
    options = resource.options
    for path in options.get("ignoreChanges") or ():
        if path not in HARMLESS_CHANGES and not path.startswith(HARMLESS_PREFIXES):
            yield Weakening(option=f"ignore_changes={path}", reason="what runs keeps its old value, whatever the program says")
    if options.get("retainOnDelete"):
        yield Weakening(option="retain_on_delete", reason="it stays in the cluster when the program no longer has it")
    if imported := options.get("import"):
        yield Weakening(option=f"import_={imported}", reason="its first state is somebody else's")
    if options.get("external"):
        yield Weakening(option="get", reason="it is only read, so nothing in this program keeps it as it is")
    if not options.get("protect") and _protected_above(resource, by_urn):
        yield Weakening(option="protect=False", reason="the component around it is protected, and this guard alone can be deleted")


def _protected_above(resource: Resource, by_urn: Mapping[str, Resource]) -> bool:
    seen: set[str] = set()
    parent = by_urn.get(resource.parent)
    while parent is not None and parent.urn not in seen:
        if parent.options.get("protect"):
            return True
        seen.add(parent.urn)
        parent = by_urn.get(parent.parent)
    return False
