"""API versions live their life: draft, published, deprecated, retired."""

from collections.abc import Iterator

from topology.findings import Finding
from topology.laws.law import Law
from topology.model.door import Lifecycle
from topology.model.system import Topology


def versions_say_when_they_end(t: Topology) -> Iterator[Finding]:
    """A deprecated version says when it ends, after it began to; other versions say nothing of the kind."""
    for name, api in t.apis.items():
        for version, about in api.versions.items():
            at = ("apis", name, "versions", version)
            if about.lifecycle is Lifecycle.DEPRECATED and about.sunset is None:
                reason = "is missing: a deprecated version says when it ends"
                yield Finding(path=(*at, "sunset"), given=None, reason=reason, suggestion="add a date")
            if about.lifecycle is not Lifecycle.DEPRECATED and (about.sunset or about.deprecated_since):
                reason = "does not fit a date of deprecation or sunset"
                yield Finding(path=(*at, "lifecycle"), given=str(about.lifecycle), reason=reason, suggestion="write deprecated")
            if about.sunset and about.deprecated_since and about.sunset <= about.deprecated_since:
                reason = f"is not after the day of deprecation ({about.deprecated_since})"
                yield Finding(path=(*at, "sunset"), given=str(about.sunset), reason=reason, suggestion="give clients time to move")


def doors_lead_to_living_versions(t: Topology) -> Iterator[Finding]:
    """A draft or retired version has no door."""
    for name, door in t.doors.items():
        if door.api and door.api.name in t.apis:
            about = t.apis[door.api.name].versions.get(door.api.version)
            if about and about.lifecycle in {Lifecycle.DRAFT, Lifecycle.RETIRED}:
                reason = f"is {about.lifecycle}, and only published and deprecated versions have doors"
                path = ("doors", name, "api", "version")
                yield Finding(path=path, given=door.api.version, reason=reason, suggestion="remove the door, or change the lifecycle")


LAWS: tuple[Law, ...] = (
    versions_say_when_they_end,
    doors_lead_to_living_versions,
)
