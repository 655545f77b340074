"""Retries: a try that fails is made again as often as the topology says, and not once more.

A service is made to fail by request, and says later how many tries of that request it saw. Tries go to any of its instances, so the
numbers of all instances are added up; of the failures that end in a success, each instance makes so many that together they are not
more than the tries that are left.

A service that speaks gRPC fails by a status in the one frame of its answer, which is where Envoy looks (`wouldRetryFromHeaders`); one that
comes after messages is never tried again.
"""

import math
from collections.abc import Iterator
from typing import Final

from topology.derive.probes.calls import granted
from topology.derive.probes.expectation import Retried
from topology.derive.probes.pair import ANSWERED, Pair
from topology.derive.probes.probe import Family, Probe, Stage
from topology.edges import Direction
from topology.model.base import ServiceName
from topology.model.service import Mirror, Protocol, Retries, Service
from topology.model.system import Topology

FAIL_HEADER: Final = "x-echo-fail"
"""Request header by which a backend that echoes fails: always, or at each instance so many times for one request id."""
TRIES_HEADER: Final = "x-echo-tries"
"""Request header by which it says how many tries with a request id that instance saw."""
FAILURES: Final = {
    "cancelled": "grpc-status=1",
    "resource-exhausted": "grpc-status=8",
    "unavailable": "grpc-status=14",
    "deadline-exceeded": "grpc-status=4",
    "retriable-4xx": "status=409",
    "gateway-error": "status=503",
    "5xx": "status=503",
}
"""Answers that meet a condition; not there: what no answer meets. Envoy looks for `grpc-status` in answers to any request
(`RetryStateImpl::wouldRetryFromHeaders`). Of each kind, those that count towards ejection come last."""
SPOKEN: Final = {Protocol.HTTP: ("grpc-status=", "status="), Protocol.GRPC: ("grpc-status=",)}
"""How failures begin that a service can answer: every answer of gRPC has the status 200 of HTTP."""
EJECTED_BY: Final = {Protocol.HTTP: frozenset({"status=503"}), Protocol.GRPC: frozenset({"grpc-status=14", "grpc-status=4"})}
"""Answers that count towards ejection: of calls of gRPC, those that HTTP would have a status of 5xx for (Envoy, `Filter::onUpstreamHeaders`
of `source/common/router/router.cc`, `Grpc::Utility::grpcToHttpStatus`)."""
CERTAIN: Final = 16
"""Requests for each instance after which every one of them has been asked: it is missed once in nine million times."""
MOST: Final = 800
"""Requests by which instances are asked at most."""


def retries(pair: Pair, service: Service) -> Iterator[Probe]:
    """Yield the probes of a service whose calls are tried again: all tries fail, and the last of them does not."""
    bounds = service.resilience.retries
    failure = _failure(pair.t, service, bounds) if bounds else None
    if bounds is None or failure is None or _hindrance(pair.t, service, bounds):
        return
    instances, asked = _instances(pair.t, service), _asked(pair.t, service)
    attempts = bounds.attempts
    pinned = ((service.canary.header, service.canary.value),) if service.canary else ()
    why = f"a call that fails with {failure} is tried {attempts} more times"
    for what, times in (("given-up", 0), ("tried-again", attempts // instances)):
        if what == "tried-again" and not times:
            continue  # an instance might fail for the first time when no try is left
        rule = f"times={times};{failure}" if times else failure
        expect = Retried(attempts=attempts, failures=times, asked=asked)
        yield pair.probe(Family.RESILIENCE, what, expect, why, Stage.DAMAGE, headers=(*pinned, (FAIL_HEADER, rule)), spread=True)


def unproved(t: Topology) -> Iterator[tuple[ServiceName, str]]:
    """Yield the services whose calls are tried again and about which that is not asked, each with the reason."""
    called = {callee for _, callee in granted(t, Direction.EAST_WEST)}
    for name, service in t.services.items():
        if bounds := service.resilience.retries:
            why = _hindrance(t, service, bounds) or ("" if name in called else "no service calls it, so that its instances cannot be asked")
            if why:
                yield name, why


def _hindrance(t: Topology, service: Service, bounds: Retries) -> str:
    """Return why it cannot be shown that a service's calls are tried again; empty where it can."""
    if service.protocol not in ANSWERED:
        return f"what stands in for a service that speaks {service.protocol} cannot be told to fail, and does not count its tries"
    if service.mirror and not _copied_elsewhere(service, service.mirror):
        return "its calls are copied, and a copy is counted like a try"
    if _failure(t, service, bounds) is None:
        return f"no answer of its own is a failure after {', '.join(bounds.retry_on)}, or enough of them eject the instance"
    if _asked(t, service) > MOST:
        return f"more than {MOST} requests are needed to meet each of its instances"
    return ""


def _failure(t: Topology, service: Service, bounds: Retries) -> str | None:
    """Return the failure that is tried again; None where the service cannot be made to answer so without being ejected for it."""
    ejection = t.ejection_of(service.resilience)
    harmful = EJECTED_BY[service.protocol] if ejection and bounds.attempts + 1 >= ejection.consecutive_errors else frozenset[str]()
    for condition, answer in FAILURES.items():
        if condition in bounds.retry_on and answer.startswith(SPOKEN[service.protocol]) and answer not in harmful:
            return answer
    return None


def _copied_elsewhere(service: Service, mirror: Mirror) -> bool:
    """Say whether copies go to instances that neither a try nor a question ever reaches."""
    if service.canary:
        return mirror.version != service.canary.version
    return service.versions[mirror.version].weight == 0


def _instances(t: Topology, service: Service) -> int:
    """Return how many instances of one version there are at most."""
    available = service.availability
    return max(1, available.replicas, available.max_replicas or 0) * max(1, len(t.datacenters))


def _asked(t: Topology, service: Service) -> int:
    """Return how many requests meet all instances of the version that a request met, even the one with the least weight."""
    weights = [float(about.weight) for about in service.versions.values() if about.weight]
    share = 1.0 if service.canary or not weights else min(weights) / 100
    return math.ceil(CERTAIN * _instances(t, service) / share)
