"""Versions of services: which pods run them, and where routes lead to nobody."""

from collections.abc import Iterator, Mapping

from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.selectors import matches_labels
from policies.reading.stack import Stack
from policies.reading.values import mapping
from policies.reading.virtual_services import full_host, routes_of


def version_of(pod: Pod) -> str:
    """Return the version of its service that a pod says it runs, by the label `version` (Istio, "Application Requirements")."""
    return pod.labels.get("version", "")


def behind(host: str, subset: str, stack: Stack) -> Iterator[Pod]:
    """Yield the pods behind a host, or behind a subset of it as any DestinationRule defines it."""
    service = stack.traffic.service(host)
    pods = service.pods if service else ()
    for labels in _labels(host, subset, stack):
        yield from (pod for pod in pods if matches_labels(labels, pod.labels))


def unanswered(routes: Resource, stack: Stack) -> Iterator[str]:
    """Yield each Service, or version of one, that a VirtualService leads to and that no pod stands behind.

    Envoy answers 503 for the share of requests that goes there. A subset that no DestinationRule defines is not told here:
    the walk leaves that undecided.

    Raises:
        UnknownValueError: for a route or subset that cannot be read.
    """
    for host, subset in dict.fromkeys((each.host, each.subset) for route in routes_of(routes) for each in route.destinations):
        service = stack.traffic.service(host)
        if service is None or service.selector is None:
            continue
        for labels in _labels(host, subset, stack):
            if not any(matches_labels(labels, pod.labels) for pod in service.pods):
                said = ", ".join(f"{name}={value}" for name, value in labels.items())
                yield f"{host}, version {subset} ({said})" if subset else host


def _labels(host: str, subset: str, stack: Stack) -> Iterator[Mapping[str, str]]:
    """Yield the labels that each DestinationRule of a host gives a subset; none are asked where no subset is named."""
    if not subset:
        yield {}
        return
    for rule in stack.of("DestinationRule.networking.istio.io"):
        if full_host(rule.at("spec", "host", default=""), rule.namespace) == host:
            yield from (mapping(each.get("labels")) for each in rule.at("spec", "subsets", default=[]) if each.get("name") == subset)
