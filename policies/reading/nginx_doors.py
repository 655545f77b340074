"""What an nginx makes of the requests that doors take: whether a condition, a method or its firewall refuses them."""

from collections.abc import Iterator

from policies.reading.core_rule_set import refusal
from policies.reading.door_samples import Asked
from policies.reading.nginx import Location, Server
from policies.reading.nginx_conditions import methods_of, refuses
from policies.reading.patterns import exact
from policies.reading.waf import Front, Passage
from policies.reading.walk_edge import in_order
from topology.model.cors import PREFLIGHT


def refused(front: Front, request: Asked) -> Iterator[tuple[Passage, str]]:
    """Yield where a request of a door is sent on, or would be, and why it is refused there.

    That a door's own methods are let through the proof says; a preflight is no call, so the proof does not know it.

    Raises:
        UnknownValueError: if a location cannot be read.
    """
    for server in front.servers:
        location = _taking(server, request.path) if request.host in server.names else None
        passage = next((each for each in front.passages if each.location is location), None) if location else None
        if location is None or passage is None:
            continue
        letting = [methods for block in (server.directive, location.directive) if (methods := methods_of(block)) is not None]
        if request.method == PREFLIGHT and not all(request.method in methods for methods in letting):
            yield passage, f"it lets {', '.join(letting[-1])} through, and browsers ask first by {PREFLIGHT}"
        elif refuses(server, (server.directive, location.directive), _shown(front, request)):
            yield passage, "a condition (`if`) turns it away"
        elif reason := _refused_by_rules(passage, request):
            yield passage, reason


def _refused_by_rules(passage: Passage, request: Asked) -> str:
    if not (passage.is_inspected and passage.has_core_rule_set):
        return ""
    return refusal(passage.rules, request.method, grpc=passage.module == "grpc")


def _taking(server: Server, path: str) -> Location | None:
    return next((each for each in in_order(server.locations) if any(exact(path).within(pattern) for pattern in each.patterns)), None)


def _shown(front: Front, request: Asked) -> dict[str, str]:
    """Return the variables by which a request says what it asks for; a load balancer in front asks for no name in TLS."""
    named = "" if front.balancer else request.host
    return {
        "request_method": request.method,
        "request_uri": request.path,
        "uri": request.path,
        "args": "",
        "query_string": "",
        "host": request.host,
        "http_host": request.host,
        "ssl_server_name": named,
        "https": "on",
    }
