"""Which share of the requests to a service each of its versions gets: as routes say, and as the topology says.

Shares are percentages by version; a copy (`mirror`) has an entry of its own. What routes mean:
https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRouteDestination and #HTTPRoute-mirrors.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from policies.checks import at
from policies.ejections import whole
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.reading.versions import behind, version_of
from policies.reading.virtual_services import Route, full_host
from topology.model.base import VersionName
from topology.model.service import Service

Shares = Mapping[str, float]


def promised(service: Service, only: VersionName | None = None) -> Shares:
    """Return what the topology gives to each version: of all requests, or of those that are meant for one version only."""
    given: dict[str, float] = {only: 100} if only else {name: about.weight for name, about in service.versions.items() if about.weight}
    if service.mirror and service.mirror.version != only:
        given[_copy(service.mirror.version)] = service.mirror.percent
    return given


def routed(route: Route, stack: Stack) -> Shares:
    """Return what a route gives to each version of a service; a host of another service has an entry of its own.

    Raises:
        UnknownValueError: for a weight, or a version, that is not known.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for to, percent in _weighted(route):
        found[_version(route, to, stack)] += percent
    for to, percent in _mirrored(route):
        found[_copy(_version(route, to, stack))] += percent
    return {name: percent for name, percent in found.items() if percent}


def spelled(shares: Shares) -> str:
    """Return shares as people read them: `v1 90 %, v2 10 %`."""
    return ", ".join(f"{name} {percent:.4g} %" for name, percent in sorted(shares.items())) or "nobody"


def _copy(version: str) -> str:
    return f"{version} (copies)"


def _weighted(route: Route) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Yield each destination and its part of the requests: the only one gets all of them, of several each as much as its weight says."""
    given = [mapping(each) for each in sequence(route.written.get("route"))]
    where = f"{route.resource}: weight"
    weights = [whole(each.get("weight") or 0, where) for each in given] if len(given) > 1 else [100]
    if not sum(weights):
        raise UnknownValueError(where, "0 for every destination, with which Istio refuses the route")
    for each, weight in zip(given, weights, strict=False):
        yield mapping(each["destination"]), 100 * weight / sum(weights)


def _mirrored(route: Route) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Yield each destination of copies and which part of the requests it gets; all where nothing is said."""
    if mirror := route.written.get("mirror"):
        yield mapping(mirror), _percent(route, "mirrorPercentage", route.written)
    for each in map(mapping, sequence(route.written.get("mirrors"))):
        yield mapping(each["destination"]), _percent(route, "percentage", each)


def _percent(route: Route, field: str, given: Mapping[str, Any]) -> float:
    percent: Any = at(given, field, "value", default=100)
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        raise UnknownValueError(f"{route.resource}: {field}", f"{percent!r}, which is no number")
    return percent


def _version(route: Route, to: Mapping[str, Any], stack: Stack) -> str:
    """Return the version that a destination leads to; the versions, where pods of several stand behind it."""
    host, subset = full_host(to["host"], route.resource.namespace), to.get("subset") or ""
    found = {version_of(pod) for pod in behind(host, subset, stack)}
    if not found:
        raise UnknownValueError(f"{route.resource}: {host} {subset}".rstrip(), "a destination of which no pod is in the program")
    return " or ".join(sorted(found))
