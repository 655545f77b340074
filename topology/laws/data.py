"""What becomes of data by its class."""

from collections.abc import Iterator

from topology.findings import Finding
from topology.laws.law import SENSITIVE, Law, behind
from topology.model.door import PublicAuth
from topology.model.service import DataClass, Protocol
from topology.model.system import Topology


def sensitive_data_is_not_public(t: Topology) -> Iterator[Finding]:
    """Personal, health and payment data is not behind a public door, the parts of a composition included."""
    for name, door in t.doors.items():
        for service in behind(t, door):
            if isinstance(door.auth, PublicAuth) and (data := t.services[service].data) in SENSITIVE:
                reason = f"is public, but {service} holds {data} data"
                yield Finding(path=("doors", name, "auth"), given=None, reason=reason, suggestion="require jwt or apiKey")


def caches_hold_what_everybody_may_see(t: Topology) -> Iterator[Finding]:
    """Only answers to reads are kept, and only those that may be given to another client."""
    for name, door in t.doors.items():
        if not door.cache:
            continue
        path = ("doors", name, "cache")
        if not set(door.methods) <= {"GET", "HEAD"}:
            reason = "would keep answers to writes"
            yield Finding(path=path, given=None, reason=reason, suggestion="give reads a door of their own")
        for service in behind(t, door):
            data = t.services[service].data
            shared = isinstance(door.auth, PublicAuth) and data not in SENSITIVE
            if not shared and data is not DataClass.PUBLIC:
                reason = f"would give {data} data of {service}, asked for by one client, to the next"
                yield Finding(path=path, given=None, reason=reason, suggestion="remove the cache, or say `data: public` if that is so")
            if t.services[service].protocol is not Protocol.HTTP:
                reason = f"cannot keep what {service} says over {t.services[service].protocol}"
                yield Finding(path=path, given=None, reason=reason, suggestion="remove the cache")


LAWS: tuple[Law, ...] = (
    sensitive_data_is_not_public,
    caches_hold_what_everybody_may_see,
)
