"""Retries: a try that fails is made again as often as the topology says, and not once more.

A service is made to fail by request, and says later how many tries of that request it saw. Tries go to any of its instances, so the
numbers of all instances are added up; of the failures that end in a success, each instance makes so many that together they are not
more than the tries that are left.

Services that speak gRPC are not asked. What stands in for one (`lab/builds/workloads/echo/rpc.go`) answers every message of every method
with success: it cannot be told to answer UNAVAILABLE, and says nothing of its tries. `unproved` says so of each.
"""

import math
from collections.abc import Iterator
from typing import Final

from topology.derive.probes.calls import granted
from topology.derive.probes.expectation import Retried
from topology.derive.probes.pair import Pair
from topology.derive.probes.probe import Family, Probe, Stage
from topology.edges import Direction
from topology.model.base import ServiceName
from topology.model.service import Protocol, Retries, Service
from topology.model.system import Topology

FAIL_HEADER: Final = "x-echo-fail"
"""Request header by which a backend that echoes fails: always, or at each instance so many times for one request id."""
TRIES_HEADER: Final = "x-echo-tries"
"""Request header by which it says how many tries with a request id that instance saw."""
FAILURES: Final = {
    "unavailable": "grpc-status=14",
    "cancelled": "grpc-status=1",
    "resource-exhausted": "grpc-status=8",
    "deadline-exceeded": "grpc-status=4",
    "retriable-4xx": "status=409",
    "gateway-error": "status=503",
    "5xx": "status=503",
}
"""Answers that meet a condition; not there: what no answer meets. Envoy looks for `grpc-status` in answers to any request
(`RetryStateImpl::wouldRetryFromHeaders`). Those that count towards ejection come last."""
EJECTED_BY: Final = "status=503"
CERTAIN: Final = 16
"""Requests for each instance after which every one of them has been asked: it is missed once in nine million times."""
MOST: Final = 800
"""Requests by which instances are asked at most."""


def retries(pair: Pair, service: Service) -> Iterator[Probe]:
    """Yield the probes of a service whose calls are tried again: all tries fail, and the last of them does not."""
    bounds = service.resilience.retries
    failure = _failure(service, bounds) if bounds else None
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
    if service.protocol is not Protocol.HTTP:
        return f"what stands in for a service that speaks {service.protocol} cannot be told to fail, and does not count its tries"
    if service.mirror:
        return "its calls are copied, and a copy is counted like a try"
    if _failure(service, bounds) is None:
        return f"no answer of its own is a failure after {', '.join(bounds.retry_on)}, or enough of them eject the instance"
    if _asked(t, service) > MOST:
        return f"more than {MOST} requests are needed to meet each of its instances"
    return ""


def _failure(service: Service, bounds: Retries) -> str | None:
    """Return the failure that is tried again; None where the service cannot be made to answer so without being ejected for it."""
    found = next((answer for condition, answer in FAILURES.items() if condition in bounds.retry_on), None)
    ejection = service.resilience.ejection
    if found == EJECTED_BY and ejection and bounds.attempts + 1 >= ejection.consecutive_errors:
        return None
    return found


def _instances(t: Topology, service: Service) -> int:
    """Return how many instances of one version there are at most."""
    available = service.availability
    return max(1, available.replicas, available.max_replicas or 0) * max(1, len(t.datacenters))


def _asked(t: Topology, service: Service) -> int:
    """Return how many requests meet all instances of the version that a request met, even the one with the least weight."""
    weights = [float(about.weight) for about in service.versions.values() if about.weight]
    share = 1.0 if service.canary or not weights else min(weights) / 100
    return math.ceil(CERTAIN * _instances(t, service) / share)
