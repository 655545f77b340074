"""How calls are spread, bounded and disturbed."""

from collections.abc import Iterator

from topology.findings import Finding
from topology.laws.law import Law
from topology.model.base import seconds
from topology.model.service import Protocol
from topology.model.system import Topology

SIDECAR_PORTS = range(15000, 15100)
"""Ports of Istio's proxy inside every pod (https://istio.io/latest/docs/ops/deployment/application-requirements/)."""


def weights_sum_to_100(t: Topology) -> Iterator[Finding]:
    """The versions of a service share 100 percent; a lone version needs no weight."""
    for name, service in t.services.items():
        weights = {version: about.weight for version, about in service.versions.items()}
        given = [weight for weight in weights.values() if weight is not None]
        path = ("services", name, "versions")
        if len(given) != len(weights):
            if given or len(weights) > 1:
                missing = ", ".join(version for version, weight in weights.items() if weight is None)
                reason = f"leave open which share goes to {missing}"
                yield Finding(path=path, given=None, reason=reason, suggestion="give every version a weight, 0 included")
        elif sum(given) != 100:
            spelled = " + ".join(str(weight) for weight in given)
            reason = f"have weights of {spelled} = {sum(given)}, not 100"
            yield Finding(path=path, given=None, reason=reason, suggestion="change the weights")


def copies_go_elsewhere(t: Topology) -> Iterator[Finding]:
    """A mirror sends copies to a version that does not already get every request."""
    for name, service in t.services.items():
        if service.mirror and service.mirror.version in service.versions:
            weight = service.versions[service.mirror.version].weight
            if weight == 100 or len(service.versions) == 1:
                reason = "answers every request already, and would get each twice"
                path = ("services", name, "mirror", "version")
                yield Finding(path=path, given=service.mirror.version, reason=reason, suggestion="mirror to another version")


def tcp_has_no_requests(t: Topology) -> Iterator[Finding]:
    """What looks at requests needs a protocol that has them."""
    for name, service in t.services.items():
        if service.protocol is not Protocol.TCP:
            continue
        asked = {
            ("canary",): service.canary,
            ("mirror",): service.mirror,
            ("faults",): service.faults,
            ("limit",): service.limit,
            ("health",): service.health,
            ("resilience", "retries"): service.resilience.retries,
        }
        for keys, value in asked.items():
            if value:
                reason = f"needs requests, but {name} speaks tcp, in which one cannot be told from another"
                yield Finding(path=("services", name, *keys), given=None, reason=reason, suggestion="remove it")


def faults_happen(t: Topology) -> Iterator[Finding]:
    """A fault aborts or delays calls that are really made."""
    for name, service in t.services.items():
        for index, fault in enumerate(service.faults):
            path = ("services", name, "faults", index)
            if fault.abort is None and fault.delay is None:
                yield Finding(path=path, given=None, reason="does nothing", suggestion="give `abort` or `delay`")
            for position, caller in enumerate(fault.callers):
                called = caller not in t.services or name in t.services[caller].calls
                if caller in t.compositions:
                    called = any(part.service == name for part in t.compositions[caller].parts.values())
                if not called:
                    reason = f"does not call {name}, so the fault would never happen"
                    yield Finding(path=(*path, "callers", position), given=caller, reason=reason, suggestion="name a caller, or remove it")


def instances_are_possible(t: Topology) -> Iterator[Finding]:
    """Bounds of instances leave room, a rollout can begin, and a port is free."""
    for name, service in t.services.items():
        a = service.availability
        at = ("services", name, "availability")
        if a.max_replicas is not None and a.replicas == 0:
            reason = "switches the service off, and autoscaling needs one instance to measure"
            yield Finding(path=(*at, "replicas"), given=0, reason=reason, suggestion="write 1, or remove maxReplicas")
        elif a.max_replicas is not None and a.max_replicas < a.replicas:
            reason = f"is below replicas ({a.replicas})"
            yield Finding(path=(*at, "maxReplicas"), given=a.max_replicas, reason=reason, suggestion="raise it")
        if a.max_unavailable == 0 and a.max_surge == 0:
            reason = "leaves no room for a rollout, because maxUnavailable is 0 too"
            yield Finding(path=(*at, "maxSurge"), given=0, reason=reason, suggestion="allow one of the two")
        if service.port in SIDECAR_PORTS:
            reason = "is a port of the sidecar in the same pod"
            yield Finding(path=("services", name, "port"), given=service.port, reason=reason, suggestion="choose one outside 15000-15099")


def tries_end_in_time(t: Topology) -> Iterator[Finding]:
    """One try ends before the whole call does."""
    for name, service in t.services.items():
        r = service.resilience
        if r.retries and seconds(r.retries.per_try) > seconds(r.timeout):
            reason = f"is longer than the timeout of the whole call ({r.timeout})"
            path = ("services", name, "resilience", "retries", "perTry")
            yield Finding(path=path, given=r.retries.per_try, reason=reason, suggestion="shorten it")


LAWS: tuple[Law, ...] = (
    weights_sum_to_100,
    copies_go_elsewhere,
    tcp_has_no_requests,
    faults_happen,
    instances_are_possible,
    tries_end_in_time,
)
