"""How calls are treated on their way: versions, canaries, faults, time limits, ejection, limits of services."""

from collections.abc import Iterator
from typing import Final

from topology.derive.probes.calls import granted
from topology.derive.probes.expectation import Admitted, Ejected, Faulted, GivenUp, Limited, Split
from topology.derive.probes.pair import ANSWERED, Pair
from topology.derive.probes.pods import pods_of
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.retries import FAIL_HEADER, retries
from topology.derive.probes.traces import traces
from topology.derive.probes.unnamed import unnamed
from topology.edges import Direction
from topology.model.base import ServiceName, seconds
from topology.model.service import Protocol, Resilience, Scope, Service
from topology.model.system import Topology

SAMPLES: Final = 200
"""Enough to tell a share of ten percent from none and from a third."""
PINNED: Final = 10
SLOW_HEADER: Final = "x-echo-delay"
STATUS_HEADER: Final = "x-echo-status"
"""Request headers by which a backend that echoes can be made slow, or made to fail."""
FAILING: Final = {Protocol.HTTP: (STATUS_HEADER, "503"), Protocol.GRPC: (FAIL_HEADER, "grpc-status=2")}
"""Answers that count towards ejection: of gRPC UNKNOWN, for which HTTP has the status 500, and which no condition tries again
(Envoy, `Grpc::Utility::grpcToHttpStatus`, `RetryStateImpl::wouldRetryFromHeaders`)."""
LATE: Final = 3.0
"""Seconds by which such a backend is later than its callers wait."""
ENOUGH: Final = 4
"""Requests for each instance after which all of those that are left have been asked."""
PERIOD: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
PATIENCE: Final = 15.0
"""Longest time limit that is waited for, in seconds."""
LONGEST_DAMAGE: Final = 60.0
"""Longest ejection that is waited for, in seconds."""
TRIED_AGAIN: Final = frozenset({"5xx", "gateway-error", "reset"})
"""Conditions that a try that took too long meets (Envoy, `RetryStateImpl::wouldRetryFromReset`)."""
MOST_SENT: Final = 5000
"""Requests of one probe at most."""


def treatment(t: Topology) -> Iterator[Probe]:
    """Yield the probes of calls between services: those of a pair for each pair, those of a callee by its first caller."""
    bounded: set[ServiceName] = set()
    pairs: list[Pair] = []
    for (caller, callee), operations in granted(t, Direction.EAST_WEST).items():
        service = t.workload(callee)
        if not isinstance(service, Service) or service.protocol not in ANSWERED:
            continue
        pair = Pair(t=t, caller=caller, callee=callee, operation=operations[0])
        yield from _routing(pair, service)
        yield from _faults(pair, service)
        yield from unnamed(pair, service)
        pairs.append(pair)
        if callee not in bounded:
            bounded.add(callee)
            yield from _bounds(pair, service)
    yield from traces(pairs)


def _routing(pair: Pair, service: Service) -> Iterator[Probe]:
    shares = tuple((version, float(about.weight or 0)) for version, about in service.versions.items())
    if len(shares) > 1:
        why = "weights: " + ", ".join(f"{version} {share:.0f} %" for version, share in shares)
        yield pair.probe(Family.ROUTING, "weights", Split(shares=shares), why, count=SAMPLES)
    if canary := service.canary:
        pinned = Admitted(service=pair.callee, version=canary.version)
        why = f"{canary.header}: {canary.value} goes to {canary.version}"
        yield pair.probe(Family.ROUTING, "canary", pinned, why, headers=((canary.header, canary.value),), count=PINNED)


def _faults(pair: Pair, service: Service) -> Iterator[Probe]:
    concerned = [fault for fault in service.faults if pair.caller in fault.callers or not fault.callers]
    for number, fault in enumerate(concerned):
        delay = seconds(fault.delay) if fault.delay else 0.0
        expect = Faulted(percent=fault.percent, status=fault.abort or 0, delay=delay)
        why = f"{fault.percent} % of these calls fail on purpose"
        yield pair.probe(Family.FAULTS, f"fault-{number}", expect, why, count=SAMPLES, seconds=5.0 + delay)


def _bounds(pair: Pair, service: Service) -> Iterator[Probe]:
    bounds, callee = service.resilience, pair.callee
    limit = _patience(bounds)
    if limit <= PATIENCE:
        slow = (SLOW_HEADER, f"{round((limit + LATE) * 1000)}ms")
        again = bounds.retries
        tries = f", {again.attempts} more tries of {again.per_try}" if again else ""
        why = f"nobody waits for {callee} longer than {bounds.timeout}{tries}"
        yield pair.probe(Family.RESILIENCE, "timeout", GivenUp(after=limit), why, headers=(slow,), seconds=limit + 2 * LATE)
    yield from retries(pair, service)
    rate = service.limit
    if rate and rate.scope is Scope.LOCAL and rate.per != "hour":
        period = PERIOD[rate.per]
        expect = Limited(
            least=rate.requests,
            capacity=rate.requests + rate.burst,
            refill=rate.requests / period,
            rest=period,
            counted_by=pods_of(pair.t, callee),
        )
        count = min(4 * expect.capacity, MOST_SENT)
        yield pair.probe(Family.SERVICE_LIMITS, "limit", expect, f"{rate.requests} a {rate.per}, whoever calls", Stage.LOAD, count=count)
    ejection, instances = pair.t.ejection_of(bounds), _instances(pair.t, service)
    out = instances * ejection.max_percent // 100 if ejection else 0
    if ejection and out and seconds(ejection.duration) <= LONGEST_DAMAGE:
        expect = Ejected(instances=instances, left=instances - out, duration=seconds(ejection.duration))
        why = f"an instance is out after {ejection.consecutive_errors} failures in a row, at most {ejection.max_percent} % of them"
        failing, count = FAILING[service.protocol], instances * (ejection.consecutive_errors + 2 * ENOUGH)
        yield pair.probe(Family.RESILIENCE, "ejection", expect, why, Stage.DAMAGE, headers=(failing,), count=count, spread=True)


def _patience(bounds: Resilience) -> float:
    """Return after how many seconds the proxy gives a slow service up, tries included."""
    if bounds.retries is None:
        return seconds(bounds.timeout)
    tries = bounds.retries.attempts + 1 if TRIED_AGAIN & set(bounds.retries.retry_on) else 1
    return min(seconds(bounds.timeout), tries * seconds(bounds.retries.per_try))


def _instances(t: Topology, service: Service) -> int:
    """Return how many instances a caller chooses from; 0 where that is not known before."""
    available = service.availability
    return 0 if t.datacenters or available.max_replicas or len(service.versions) > 1 else available.replicas
