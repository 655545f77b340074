"""Plaintext into the mesh, from where the network lets it pass."""

from collections.abc import Iterator
from dataclasses import replace

from topology.derive.probes import examples
from topology.derive.probes.calls import everybody, reachable, typical_operations
from topology.derive.probes.expectation import Refused
from topology.derive.probes.layer import UNREACHED
from topology.derive.probes.network import granted_pairs
from topology.derive.probes.places import NODE_CONTROL, STRANGER_CONTROL, past
from topology.derive.probes.pods import pods_of
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import NODE, STRANGER, uncaptured
from topology.model.base import ServiceName
from topology.model.system import Topology


def encryption(t: Topology) -> Iterator[Probe]:
    """Yield requests without TLS, from where the network lets them pass: a caller past its sidecar, the node, a stranger."""
    typical, known = typical_operations(t), reachable(t)
    refused = Refused(by=UNREACHED)
    done: set[ServiceName] = set()
    for caller, callee in sorted(granted_pairs(t)):
        if callee in done:
            continue
        done.add(callee)
        operation = typical[callee]
        asked = examples.request(examples.protocol_of(t, callee), operation.method, examples.path_of(operation.pattern))
        for what, target in _ways_to(t, callee):
            yield Probe(
                id=f"{Family.ENCRYPTION}/{caller}->{callee}/{what}",
                family=Family.ENCRYPTION,
                vantage=uncaptured(t, caller),
                target=target,
                request=asked,
                expect=refused,
                why=f"{callee} takes mutual TLS alone, even from {caller}",
                controls=(past(t, caller), known[callee]),
            )
    for name in everybody(t):
        operation = typical[name]
        asked = examples.request(examples.protocol_of(t, name), operation.method, examples.path_of(operation.pattern))
        for vantage, control in ((STRANGER, STRANGER_CONTROL), (NODE, NODE_CONTROL)):
            for what, target in _ways_to(t, name):
                yield Probe(
                    id=f"{Family.ENCRYPTION}/{vantage.place}->{name}/{what}",
                    family=Family.ENCRYPTION,
                    vantage=vantage,
                    target=target,
                    request=replace(asked, seconds=2.0),
                    expect=refused,
                    why=f"{name} takes mutual TLS alone",
                    controls=(control, *([known[name]] if name in known else [])),
                )


def _ways_to(t: Topology, name: ServiceName) -> tuple[tuple[str, Target], ...]:
    """Return a service by its name, and by the address of a pod."""
    pod = Target(at=At.POD, pods=pods_of(t, name), port=examples.port_of(t, name))
    return ("service", examples.by_name(t, name)), ("pod", pod)
