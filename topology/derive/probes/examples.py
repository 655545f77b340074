"""Requests that a grant covers, and requests that come near and are not covered."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from topology.derive import names
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import At, Target
from topology.edges import ANY_PATH, TCP, Edge
from topology.model.base import ServiceName
from topology.model.service import Protocol, Service
from topology.model.system import COMPOSITION_PORT, Topology
from topology.paths import ANY_SEGMENT, is_prefix, regex, stem

WORD: Final = "probe-7"
"""A segment that stands for any."""
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
FAR: Final = "/perimeter-probe/none"
"""A path that no system has."""
GRPC_HEADERS: Final = (("content-type", "application/grpc"), ("te", "trailers"))
EMPTY_MESSAGE: Final = "\0\0\0\0\0"
"""A gRPC message without content: not compressed, of length zero."""
JSON: Final = (("content-type", "application/json"),)
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, kw_only=True, order=True)
class Operation:
    """One method on one pattern."""

    method: str
    pattern: str

    @property
    def slug(self) -> str:
        """Return method and pattern as a part of a probe's id."""
        return f"{self.method} {self.pattern}"


def operations(granted: Iterable[Edge]) -> list[Operation]:
    """Return the operations of edges, sorted."""
    return sorted({Operation(method=edge.method, pattern=edge.path) for edge in granted})


def path_of(pattern: str) -> str:
    """Return a path that a pattern matches."""
    return f"{stem(pattern)}{WORD if is_prefix(pattern) else ''}".replace(ANY_SEGMENT, WORD)


def matches(pattern: str, path: str) -> bool:
    """Say whether a pattern matches a path."""
    return re.fullmatch(regex(pattern), path, re.DOTALL) is not None


def covered(granted: Iterable[Operation], method: str, path: str) -> bool:
    """Say whether some operation covers a request."""
    return any(operation.method == method and matches(operation.pattern, path) for operation in granted)


def wrong_method(granted: Iterable[Operation], path: str) -> str | None:
    """Return a method that is granted on no pattern of the path; None where all are."""
    operations_ = tuple(granted)
    return next((method for method in METHODS if not covered(operations_, method, path)), None)


def near_misses(granted: Iterable[Operation], method: str, pattern: str) -> Iterator[str]:
    """Yield paths beside a pattern that nothing covers: deeper, longer, shorter, and one far away."""
    operations_, path = tuple(granted), path_of(pattern)
    tried = (FAR, f"{path}/deeper/still", f"{path.rstrip('/')}x", stem(pattern).rstrip("/") if is_prefix(pattern) else f"{path}/", "/")
    for other in dict.fromkeys(tried):
        if other.startswith("/") and "{" not in other and not covered(operations_, method, other):
            yield other


def port_of(t: Topology, name: ServiceName) -> int:
    """Return the port of a service or composition."""
    workload = t.workload(name)
    return workload.port if isinstance(workload, Service) else COMPOSITION_PORT


def protocol_of(t: Topology, name: ServiceName) -> Protocol:
    """Return what a service speaks; a composition speaks HTTP."""
    workload = t.workload(name)
    return workload.protocol if isinstance(workload, Service) else Protocol.HTTP


def by_name(t: Topology, name: ServiceName) -> Target:
    """Return a service as its callers name it."""
    return Target(at=At.NAME, name=names.address(t, name), port=port_of(t, name))


def request(protocol: Protocol, method: str, path: str) -> Request:
    """Return a request as a caller inside would write it."""
    if protocol is Protocol.TCP or method == TCP or path == ANY_PATH:
        return Request(scheme=Scheme.TCP, seconds=3.0)
    if protocol is Protocol.GRPC and method == "POST":
        return Request(method=method, path=path, scheme=Scheme.GRPC, headers=GRPC_HEADERS, body=EMPTY_MESSAGE)
    if method in WITH_BODY:
        return Request(method=method, path=path, headers=JSON, body="{}")
    return Request(method=method, path=path)
