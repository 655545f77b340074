"""Which requests a load balancer and its firewall let through: those of doors, and of them only what cannot be misread."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from policies.reading.ambiguous import AMBIGUOUS
from policies.reading.cloud.aws.balancers import Case, cases_of, is_public, listeners_of
from policies.reading.cloud.aws.firewall import acl_of
from policies.reading.cloud.aws.samples import doors_of, sample_of
from policies.reading.cloud.aws.statements import HEADERS, INSPECTED, Sample, answer_of
from policies.reading.cloud.flaws import Flaw
from policies.reading.compare import pattern_of
from policies.reading.controllers import Controller
from policies.reading.door_samples import WITH_BODY, Asked, asked, sample_path
from policies.reading.outside_methods import methods_from_outside
from policies.reading.patterns import EVERY, Pattern, exact, prefix
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.spoken_headers import (
    CLIENT_CERTIFICATE,
    ENVOY_INTERNAL,
    FORWARDED,
    KONG_IDENTITY,
    MISTAKEN,
    OVERRIDING,
    identity_headers,
)
from policies.reading.values import sequence
from policies.reading.waf import behind_balancers
from topology.edges import Edge
from topology.model.base import size_in_bytes
from topology.model.cors import PREFLIGHT
from topology.model.service import Protocol, Service

if TYPE_CHECKING:
    from policies.reading.stack import Stack

REQUEST_ID: Final = "x-request-id"
TRANSFORMER: Final = "request-transformer"
"""The plugin of Kong that removes headers from requests."""

MARK: Final = "X"
"""Beside the name of a method it makes one of nobody, which an expression without an end lets pass."""
METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"),
    *("CONNECT", "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL"),
    *("LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE"),
    *("MOVE", "ORDERPATCH", "PRI", "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH"),
    *("UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL", "SAMPLE"),
)
"""Methods of HTTP and of the protocols on top of it, and one of none (https://www.iana.org/assignments/http-methods)."""
STRANGER: Final = "stranger.example"
"""A host of nobody, by itself, and before and behind a host of ours."""


def opens_doors_alone(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a public load balancer sends on hosts, paths and methods of doors alone.

    A listener's `*` is any text, so a path is held against the doors up to the first segment of any name; the gateway knows the rest.
    """
    if not is_public(balancer):
        return
    doors = doors_of(stack)
    for listener in listeners_of(stack, balancer):
        for case in cases_of(stack, listener):
            if not case.answer:
                yield from _beyond(case, doors)
    if (acl := acl_of(stack, balancer)) is None:
        return
    known = methods_from_outside(stack)
    like = sorted(text for each in known for text in (f"{each}{MARK}", f"{MARK}{each}", each.lower()))
    for method in (*METHODS, *like):
        if doors and method not in known and not answer_of(acl, sample_of(doors[0], method=method), whole=True).blocked:
            yield Flaw(
                message=f"lets the method {method} pass, which no door has",
                fix="block every method that no door has",
                resource=acl,
            )
    for host in (
        STRANGER,
        *(text for each in sorted({door.host for door in doors}) for text in (f"{STRANGER}.{each}", f"{each}.{STRANGER}")),
    ):
        if doors and not answer_of(acl, replace(sample_of(doors[0]), host=host), whole=True).blocked:
            yield Flaw(message=f"lets the host {host} pass, which no door has", fix="block every host that no door has", resource=acl)


def _beyond(case: Case, doors: list[Edge]) -> Iterator[Flaw]:
    for host in case.hosts:
        coarse = [_coarse(pattern_of(door.entry)) for door in doors if door.host == host]
        for pattern in case.patterns:
            if not any(pattern.within(door) for door in coarse):
                where = "every host" if host == "*" else host
                what = "every path" if pattern == EVERY else str(pattern)
                yield Flaw(
                    message=f"{case.resource} sends on {what} of {where}, which no door of the topology has",
                    fix="name the host and the paths of doors (hostHeader, pathPattern)",
                    resource=case.resource,
                )


def _coarse(pattern: Pattern) -> Pattern:
    """Return a pattern up to its first segment of any name, as a listener's rule says it."""
    if None not in pattern.segments:
        return pattern
    fixed = pattern.segments[: pattern.segments.index(None)]
    return prefix("".join(f"/{segment}" for segment in fixed) + "/")


def lets_doors_through(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the firewall refuses no door's requests, nor those by which browsers ask first, and that a listener sends the latter on."""
    if not is_public(balancer):
        return
    acl = acl_of(stack, balancer)
    for each in asked(stack):
        answer = answer_of(acl, Sample(method=each.method, host=each.host, path=each.path)) if acl else None
        if answer and answer.blocked:
            yield Flaw(message=f"refuses {each}, which a door takes (rule `{answer.rule}`)", fix="narrow the rule", resource=acl)
        if each.method == PREFLIGHT and not any(
            _sends_on(case, each) for own in listeners_of(stack, balancer) for case in cases_of(stack, own)
        ):
            yield Flaw(
                message=f"sends {each} nowhere, by which browsers ask first at a door", fix=f"let the door's rule take {PREFLIGHT}, too"
            )


def _sends_on(case: Case, request: Asked) -> bool:
    return not case.answer and any(True for _ in case.taken(Requests(host=request.host, method=request.method, path=exact(request.path))))


def takes_bodies(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that bodies which a door takes are not refused for being longer than the firewall sees."""
    acl = acl_of(stack, balancer) if is_public(balancer) else None
    hosts = stack.intent.public_hosts()
    for name, door in stack.intent.doors.items() if acl else ():
        with_body = sorted(set(door.methods) & WITH_BODY)
        called = stack.intent.workload(door.service)
        speaks_grpc = isinstance(called, Service) and called.protocol is Protocol.GRPC  # whose bodies it does not look at
        if acl is None or not with_body or speaks_grpc or size_in_bytes(door.max_body) <= INSPECTED:
            continue
        for path in door.paths:
            sample = Sample(method=with_body[0], host=door.host or hosts[0], path=sample_path(str(path)), body=INSPECTED + 1)
            if (answer := answer_of(acl, sample)).blocked:
                yield Flaw(
                    message=f"refuses bodies over {INSPECTED} bytes at the door `{name}`, which takes {door.max_body} (rule `{answer.rule}`)",
                    fix="leave the door's paths out of the rule",
                    resource=acl,
                )


def refuses_ambiguous(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a firewall refuses paths that layers read differently, by themselves and behind the path of each door."""
    before = ("", *sorted({sample_path(str(path)) for door in stack.intent.doors.values() for path in door.paths}))
    for host in stack.intent.public_hosts()[:1]:
        passed = [
            kind
            for kind, paths in AMBIGUOUS.items()
            if not all(answer_of(acl, Sample(host=host, path=f"{at}{path}"), whole=True).blocked for path in paths for at in before)
        ]
        if passed:
            yield Flaw(
                message=f"lets paths with {', '.join(passed)} pass, which layers read differently",
                fix="block them with a regexMatchStatement on uriPath, without transformation",
            )


# Headers


def forges_no_headers(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check what becomes of headers that layers believe: a load balancer removes none, so its firewall refuses them, or a layer behind does.

    Those that say who the client is have to be refused here, whatever the gateway removes.
    """
    acl = acl_of(stack, balancer) if is_public(balancer) else None
    doors = doors_of(stack)
    if acl is None or not doors:
        return
    kong = KONG_IDENTITY if any(gateway.controller is Controller.KONG for gateway in stack.gateways) else ()
    removed = _removed_by_gateway(stack) | _removed_by_nginx(stack)
    said = () if behind_balancers(stack) else (FORWARDED,)  # an nginx behind writes it itself, as it has to
    identity = {CLIENT_CERTIFICATE, *kong, *identity_headers(stack)}
    passed = [
        header
        for header in (*sorted(identity), *ENVOY_INTERNAL, *OVERRIDING, *MISTAKEN, *said)
        if (header in identity or header not in removed)
        and not all(answer_of(acl, each, whole=True).blocked for each in _showing(header, doors[0]))
    ]
    if passed:
        more = f" and {len(passed) - 1} more" if len(passed) > 1 else ""
        yield Flaw(
            message=f"lets a client's own {passed[0]}{more} pass",
            fix="block requests that bring them (headers, matchScope KEY), or remove them at the gateway before it looks at a request",
            resource=acl,
        )


def _showing(header: str, door: Edge) -> Iterator[Sample]:
    """Yield requests for a door with a header: in small letters, in others, and behind more headers than a firewall sees."""
    yield sample_of(door, headers=(header,))
    yield sample_of(door, headers=(header.title(),))
    yield sample_of(door, headers=(*(f"x-sample-{number}" for number in range(HEADERS)), header))


def _removed_by_gateway(stack: "Stack") -> frozenset[str]:
    """Return the headers that every gateway removes from every request before it looks at it."""
    policies = [
        policy.at("spec", "headers", "earlyRequestHeaders", "remove", default=[])
        for policy in stack.of("ClientTrafficPolicy.gateway.envoyproxy.io")
    ]
    plugins = [
        plugin.at("config", "remove", "headers", default=[])
        for plugin in stack.of("KongPlugin", "KongClusterPlugin")
        if plugin.at("plugin", default="") == TRANSFORMER
    ]
    removed = [{str(name).lower() for name in sequence(names)} for names in (*policies, *plugins)]
    return frozenset(header for header in (removed[0] if removed else ()) if all(header in each for each in removed))


def _removed_by_nginx(stack: "Stack") -> frozenset[str]:
    """Return the headers that every nginx behind a load balancer removes from every request that it passes on."""
    removed = [passage.removed_headers for front in behind_balancers(stack) for passage in front.passages]
    return removed[0].intersection(*removed) if removed else frozenset()


def makes_request_ids(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the gateway makes the id of each request: a load balancer passes on the client's. An nginx between the two makes it itself."""
    if not is_public(balancer) or behind_balancers(stack):
        return
    for policy in stack.of("ClientTrafficPolicy.gateway.envoyproxy.io"):
        if (how := policy.at("spec", "headers", "requestID", default="PreserveOrGenerate")) != "Generate":
            yield Flaw(
                message=f"takes the request id that the client says (requestID {how}): the load balancer in front makes none",
                fix="set headers.requestID: Generate",
                resource=policy,
            )
    for plugin in stack.of("KongPlugin", "KongClusterPlugin"):
        removed = sequence(plugin.at("config", "remove", "headers", default=[])) if plugin.at("plugin", default="") == TRANSFORMER else None
        if removed is not None and REQUEST_ID not in {str(name).lower() for name in removed}:
            yield Flaw(
                message="passes on the request id that the client says: the load balancer in front makes none",
                fix=f"remove {REQUEST_ID} from requests, and make one (correlation-id)",
                resource=plugin,
            )
