"""Doors are narrow, lead to what a gateway can check, and leave no doubt about which of them answers."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from topology.findings import Finding, KeyPath
from topology.laws.law import Law
from topology.laws.management import PAGES, management
from topology.model.door import Door, JwtAuth
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.paths import ANY_REST, ANY_SEGMENT, covers, is_exact, is_template, overlap, rewrite, stem

OWNED_HEADERS = frozenset(
    {"host", "origin", "authorization", "connection", "content-length", "transfer-encoding", "te", "upgrade", "x-api-key"}
)
"""Headers that a layer reads, writes or removes itself."""

OWNED_PREFIXES = ("x-perimeter-", "x-envoy-", "x-forwarded-", "x-request-id", "x-real-ip")
"""Beginnings of headers by which layers tell each other who is calling. A door that could set one could be anybody."""

SAID_TO_BROWSERS = "access-control-"
"""How headers begin by which browsers learn whose scripts may ask and read."""

METHODS = {Protocol.GRPC: ("POST",), Protocol.WEBSOCKET: ("GET",)}
"""The only method of a protocol's requests."""

GRPC_PATH = re.compile(r"/[A-Za-z_][\w.]*/([A-Za-z_]\w*|\*)", re.ASCII)


def doors_open_to_requests(t: Topology) -> Iterator[Finding]:
    """A door leads to a service whose requests a gateway can tell apart, in the form that the service speaks."""
    for name, door in t.doors.items():
        at = ("doors", name)
        if door.service in t.compositions and door.methods != ("GET",):
            reason = "lead to a composition, which answers GET alone"
            yield Finding(path=(*at, "methods"), given=None, reason=reason, suggestion="write [GET]")
        service = t.services.get(door.service)
        if not service:
            continue
        if service.protocol is Protocol.TCP:
            reason = "speaks tcp, of which a gateway cannot check a single request"
            yield Finding(path=(*at, "service"), given=door.service, reason=reason, suggestion="put an http service in front")
        if service.protocol in METHODS and door.methods != METHODS[service.protocol]:
            (only,) = METHODS[service.protocol]
            reason = f"lead to {door.service}, which speaks {service.protocol} and so is asked by {only} alone"
            yield Finding(path=(*at, "methods"), given=None, reason=reason, suggestion=f"write [{only}]")
        if service.protocol is Protocol.GRPC:
            for index, path in enumerate(door.paths):
                if not GRPC_PATH.fullmatch(_inner(door, path)):
                    reason = f"is no method of a gRPC service, and {door.service} has nothing else"
                    yield Finding(path=(*at, "paths", index), given=path, reason=reason, suggestion="write /package.Service/Method")


def _inner(door: Door, path: str) -> str:
    """Return the path as the service sees it."""
    return rewrite(path, door.rewrite.prefix, door.rewrite.replacement) if door.rewrite else path


def doors_are_narrow(t: Topology) -> Iterator[Finding]:
    """No door opens everything, and none opens a path that speaks to operators."""
    for name, door in t.doors.items():
        for index, path in enumerate(door.paths):
            at = ("doors", name, "paths", index)
            if path.split("/")[1] in {ANY_REST, ANY_SEGMENT}:
                reason = "opens every path, those for operators included"
                yield Finding(path=at, given=path, reason=reason, suggestion="begin with a segment of its own, as in /v1/*")
                continue
            if door.rewrite and not stem(path).startswith(door.rewrite.prefix):
                reason = f"does not begin with the rewritten prefix {door.rewrite.prefix}"
                yield Finding(path=at, given=path, reason=reason, suggestion="write a second door")
                continue
            for shown in dict.fromkeys((path, _inner(door, path))):
                if (flaw := _too_wide(shown)) is not None:
                    reason, suggestion = flaw
                    seen = "" if shown == path else f"becomes {shown}, which "
                    yield Finding(path=at, given=path, reason=f"{seen}{reason}", suggestion=suggestion)


def _too_wide(path: str) -> tuple[str, str] | None:
    """Return why no door leads to a path, and what to do; None where one may."""
    if path == "/*":
        return "opens every path of the service", "reach it from inside the mesh"
    shown = management(path)
    if shown is None:
        return None
    is_page = shown.removeprefix("/") in PAGES
    below = f"holds {shown}/, another spelling of {shown}" if is_page else f"is below {shown}"
    where = f"is {shown}" if path.lower().rstrip("/") == shown else below
    besides = f", or name what is below, as in {shown}/{ANY_SEGMENT}" if is_page else ", as in /uptime"
    return f"{where}, which speaks to operators", f"reach it from inside the mesh; for clients choose another word{besides}"


def doors_leave_no_doubt(t: Topology) -> Iterator[Finding]:
    """Where two doors overlap, both ask for the same credential, and every layer agrees which of them answers.

    A request that two doors would answer is as open as the more open one, wherever one layer forgets which comes first. So a path
    below a public door is public: there is no exception to it behind a token. Between doors of one credential the more specific
    answers, which all gateways agree on where the narrower pattern is an exact path, or where neither has a `{*}`.
    """
    buckets: dict[tuple[str, str], list[_Opening]] = defaultdict(list)
    for name, door in t.doors.items():
        for index, path in enumerate(door.paths):
            buckets[t.host_of(door), path.split("/")[1]].append(_Opening(name=name, door=door, index=index, path=path))
    for bucket in buckets.values():
        for one, other in combinations(bucket, 2):
            if one.name != other.name and overlap(one.path, other.path):
                yield from _doubt(t, one, other)


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """One path of one door."""

    name: str
    door: Door
    index: int
    path: str


def _doubt(t: Topology, one: _Opening, other: _Opening) -> Iterator[Finding]:
    common = [method for method in one.door.methods if method in other.door.methods]
    if not common:
        return
    at = ("doors", other.name, "paths", other.index)
    wide, narrow = (one.path, other.path) if covers(one.path, other.path) else (other.path, one.path)
    agreed = covers(wide, narrow) and (is_exact(narrow) or not (is_template(wide) or is_template(narrow)))
    if one.door.auth != other.door.auth:
        reason = f"is opened for {common[0]} with another credential by door {one.name} ({one.path})"
        yield Finding(path=at, given=other.path, reason=reason, suggestion="ask for one credential, or choose paths apart")
    elif _told_apart_by_header(t, one.door, other.door):
        return
    elif one.path == other.path:
        yield Finding(path=at, given=other.path, reason=f"is opened for {common[0]} by door {one.name} too", suggestion="merge the doors")
    elif not agreed:
        reason = f"and {one.path} of door {one.name} match the same requests, and gateways disagree on which comes first"
        yield Finding(path=at, given=other.path, reason=reason, suggestion="choose paths apart, or make the narrower one exact")


def _told_apart_by_header(t: Topology, one: Door, other: Door) -> bool:
    if one.api is None or other.api is None or one.api.name not in t.apis:
        return False
    return one.api.name == other.api.name and one.api.version != other.api.version and t.apis[one.api.name].version_header is not None


def headers_belong_to_one_layer(t: Topology) -> Iterator[Finding]:
    """No door, version or canary uses a header by which the layers tell each other who is calling."""
    used: list[tuple[KeyPath, str]] = []
    for name, door in t.doors.items():
        for key, edit in (("requestHeaders", door.request_headers), ("responseHeaders", door.response_headers)):
            used += [(("doors", name, key, "set", header), header) for header in edit.set]
            used += [(("doors", name, key, "remove", index), header) for index, header in enumerate(edit.remove)]
            for index, header in enumerate(edit.remove):
                if header in edit.set:
                    reason = "is set and removed"
                    yield Finding(path=("doors", name, key, "remove", index), given=header, reason=reason, suggestion="keep one")
    used += [(("apis", name, "versionHeader"), api.version_header) for name, api in t.apis.items() if api.version_header]
    used += [(("services", name, "canary", "header"), service.canary.header) for name, service in t.services.items() if service.canary]
    for path, header in used:
        if header.startswith(SAID_TO_BROWSERS):
            reason = "tells browsers whose scripts may ask and read, which the gateway says of a door with `cors`, and nobody else"
            yield Finding(path=path, given=header, reason=reason, suggestion="write it under `cors` at the top")
        elif header in OWNED_HEADERS or header.startswith(OWNED_PREFIXES):
            reason = "belongs to the layers, which tell each other by it who is calling"
            yield Finding(path=path, given=header, reason=reason, suggestion="leave it to them")


def token_doors_can_verify(t: Topology) -> Iterator[Finding]:
    """A tier that a door serves can be said by a token that its issuer's claims admit."""
    for name, door in t.doors.items():
        if not isinstance(door.auth, JwtAuth) or door.auth.jwt not in t.issuers:
            continue
        issuer = t.issuers[door.auth.jwt]
        values = issuer.required_claims.get(issuer.tier_claim or "")
        for index, tier in enumerate(door.tiers):
            if values is not None and tier not in values and tier in t.tiers:
                reason = f"is not among the values of {issuer.tier_claim} that issuer {door.auth.jwt} requires, so no token can say it"
                path = ("doors", name, "tiers", index)
                yield Finding(path=path, given=tier, reason=reason, suggestion=f"required: {', '.join(values)}")


LAWS: tuple[Law, ...] = (
    doors_open_to_requests,
    doors_are_narrow,
    doors_leave_no_doubt,
    headers_belong_to_one_layer,
    token_doors_can_verify,
)
