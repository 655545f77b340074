"""What an nginx makes of the requests that doors take: whether a condition, a method or its firewall refuses them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from policies.reading.core_rule_set import refusal
from policies.reading.door_samples import Asked
from policies.reading.nginx_conditions import methods_of, refuses
from policies.reading.patterns import ByFirst, exact
from policies.reading.waf import Front, Passage
from policies.reading.walk_edge import in_order
from topology.model.cors import PREFLIGHT


class Places:
    """Where an nginx sends requests on, by the requests: the location that wins takes one, whatever the others say."""

    def __init__(self, front: Front) -> None:
        """Index the locations once.

        Raises:
            UnknownValueError: if one cannot be read.
        """
        self._passages = {each.location: each for each in front.passages}
        self._locations = {
            server: ByFirst((location.patterns, location) for location in in_order(server.locations)) for server in front.servers
        }

    def of(self, request: Asked) -> Iterator[Passage]:
        """Yield the place of each server that takes a request and sends it on."""
        path = exact(request.path)
        for server, locations in self._locations.items():
            if request.host in server.names:
                taking = next((each for each in locations.about(path) if any(path.within(pattern) for pattern in each.patterns)), None)
                if taking in self._passages:
                    yield self._passages[taking]


def refused(front: Front, places: Places, request: Asked) -> Iterator[tuple[Passage, str]]:
    """Yield where a request of a door is sent on, or would be, and why it is refused there.

    That a door's own methods are let through the proof says; a preflight is no call, so the proof does not know it.
    """
    for passage in places.of(request):
        server, location = passage.server, passage.location
        letting = [methods for block in (server.directive, location.directive) if (methods := methods_of(block)) is not None]
        if request.method == PREFLIGHT and not all(request.method in methods for methods in letting):
            yield passage, f"it lets {', '.join(letting[-1])} through, and browsers ask first by {PREFLIGHT}"
        elif refuses(server, (server.directive, location.directive), _shown(front, request)):
            yield passage, "a condition (`if`) turns it away"
        elif reason := _refused_by_rules(passage, request):
            yield passage, reason


def longest_bodies(front: Front, requests: Iterable[Asked]) -> dict[Passage, int]:
    """Return how long the longest body is that doors take at each place, in bytes, where they take one."""
    places, found = Places(front), defaultdict[Passage, int](int)
    for request in requests:
        for passage in places.of(request):
            found[passage] = max(found[passage], request.most)
    return found


def _refused_by_rules(passage: Passage, request: Asked) -> str:
    if not (passage.is_inspected and passage.has_core_rule_set):
        return ""
    return refusal(passage.rules, request.method, grpc=passage.module == "grpc")


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
