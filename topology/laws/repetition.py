"""Nothing is listed twice."""

from collections.abc import Iterator, Sequence

from topology.findings import Finding, KeyPath
from topology.laws.law import Law
from topology.model.door import ApiKeyAuth
from topology.model.service import GrpcOperation, HttpOperation, Operation
from topology.model.system import Topology


def lists_hold_no_value_twice(t: Topology) -> Iterator[Finding]:
    """A value stands once in its list: a second time it was meant to be another."""
    for path, values in _lists(t):
        seen: set[str] = set()
        for index, value in enumerate(values):
            if value in seen:
                yield Finding(path=(*path, index), given=value, reason="is listed twice", suggestion="remove one")
            seen.add(value)


def variables_have_one_value(t: Topology) -> Iterator[Finding]:
    """A variable of a container is a value or a Secret's, not both."""
    for name, service in t.services.items():
        for version, about in service.versions.items():
            for variable in sorted({*about.env} & {*about.secrets}):
                path = ("services", name, "versions", version, "secrets", variable)
                yield Finding(path=path, given=variable, reason="has a value in `env` too", suggestion="remove one")


def _lists(t: Topology) -> Iterator[tuple[KeyPath, Sequence[str]]]:
    yield ("hosts",), t.hosts
    for name, issuer in t.issuers.items():
        yield ("issuers", name, "audiences"), issuer.audiences
        for claim, values in issuer.required_claims.items():
            yield ("issuers", name, "requiredClaims", claim), values
    for name, cors in t.cors.items():
        for key, values in (("origins", cors.origins), ("headers", cors.headers), ("expose", cors.expose)):
            yield ("cors", name, key), values
    for name, service in t.services.items():
        at = ("services", name)
        yield (*at, "datacenters"), service.datacenters
        for index, fault in enumerate(service.faults):
            yield (*at, "faults", index, "callers"), fault.callers
        for callee, granted in service.calls.items():
            yield from _operations((*at, "calls", callee), granted)
    for name, door in t.doors.items():
        at = ("doors", name)
        yield (*at, "methods"), door.methods
        yield (*at, "paths"), door.paths
        yield (*at, "tiers"), door.tiers
        if isinstance(door.auth, ApiKeyAuth):
            yield (*at, "auth", "apiKey"), door.auth.api_key
        if door.cache:
            yield (*at, "cache", "vary"), door.cache.vary
    for name, bridge in t.bridges.items():
        yield from _operations(("bridges", name, "operations"), bridge.operations)
    for name, exit_ in t.egress.items():
        yield ("egress", name, "services"), exit_.services


def _operations(path: KeyPath, granted: tuple[Operation, ...]) -> Iterator[tuple[KeyPath, Sequence[str]]]:
    for index, operation in enumerate(granted):
        match operation:
            case HttpOperation():
                yield (*path, index, "methods"), operation.methods
                yield (*path, index, "paths"), operation.paths
            case GrpcOperation():
                yield (*path, index, "rpcs"), operation.rpcs


LAWS: tuple[Law, ...] = (lists_hold_no_value_twice, variables_have_one_value)
