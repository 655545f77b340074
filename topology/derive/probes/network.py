"""Addresses that nobody should reach: from outside, from pods outside the meshes, from pods that have no business there."""

from collections.abc import Iterator
from typing import Final

from topology.derive import names
from topology.derive.probes import examples
from topology.derive.probes.calls import everybody, granted, reachable
from topology.derive.probes.doors import entrance, requests_of
from topology.derive.probes.expectation import Closed, Refused
from topology.derive.probes.hops import CONNECT, hops, service
from topology.derive.probes.layer import Layer
from topology.derive.probes.places import STRANGER_CONTROL, callers, past
from topology.derive.probes.pods import pods_of
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import EDGE, At, Target
from topology.derive.probes.vantage import OUTSIDE, STRANGER, uncaptured
from topology.edges import Direction
from topology.model.base import ServiceName
from topology.model.system import Topology

NODE_PORTS: Final = tuple(range(30000, 32768))
OTHER_PORTS: Final = (80, 8080, 8081, 8443, 9080, 9901, 10443, 15000, 15006, 15010, 15012, 15014, 15017, 15020, 15021, 15090, 19000)


def network(t: Topology) -> Iterator[Probe]:
    """Yield connections that must not come about."""
    yield from _exposure(t)
    yield from _fences(t)


def _exposure(t: Topology) -> Iterator[Probe]:
    door = next(iter(t.doors.items()), None)
    if door is None:
        return
    name, about = door
    yield Probe(
        id=f"{Family.EXPOSURE}/ports",
        family=Family.EXPOSURE,
        vantage=OUTSIDE,
        target=EDGE,
        request=Request(scheme=Scheme.SCAN, ports=(*OTHER_PORTS, *NODE_PORTS), seconds=1.0),
        expect=Closed(),
        why="the only public port is the edge's",
        controls=(entrance(name, requests_of(t, about)[0]),),
    )


def _fences(t: Topology) -> Iterator[Probe]:
    """Yield connections that NetworkPolicy alone stops: not even a handshake comes about."""
    unreached = Refused(by=(Layer.NETWORK,))
    known, allowed = reachable(t), granted_pairs(t)
    for name in everybody(t):
        target = Target(at=At.POD, pods=pods_of(t, name), port=examples.port_of(t, name))
        yield _from_stranger(Family.NETWORK, name, target, unreached, known.get(name))
    for hop in hops(t):
        yield _from_stranger(Family.NETWORK, hop.label, hop.target, unreached, hop.control)
    yield from _hairpins(t)
    for caller in callers(t):
        for callee in everybody(t):
            if callee == caller or (caller, callee) in allowed:
                continue
            yield Probe(
                id=f"{Family.NETWORK}/{caller}->{callee}",
                family=Family.NETWORK,
                vantage=uncaptured(t, caller),
                target=Target(at=At.POD, pods=pods_of(t, callee), port=examples.port_of(t, callee)),
                request=CONNECT,
                expect=unreached,
                why=f"no edge {caller} → {callee}",
                controls=(past(t, caller), *([known[callee]] if callee in known else [])),
            )


def _hairpins(t: Topology) -> Iterator[Probe]:
    """Yield the ways back: from services, past their sidecars, to the proxies that lead in, out and across."""
    edge, behind = service(names.EDGE, names.EDGE_NAMESPACE), tuple(hops(t))
    for caller in callers(t):
        own = {"", t.mesh_of(caller)}
        layers = [("edge", edge, STRANGER_CONTROL)]
        layers += [(hop.label, hop.target, hop.control) for hop in behind if hop.mesh in own and caller not in hop.services]
        for label, target, control in layers:
            yield Probe(
                id=f"{Family.NETWORK}/{caller}->{label}/Service",
                family=Family.NETWORK,
                vantage=uncaptured(t, caller),
                target=target,
                request=CONNECT,
                expect=Refused(by=(Layer.NETWORK,)),
                why=f"{caller} has no business at the {label}",
                controls=(past(t, caller), control),
            )


def granted_pairs(t: Topology) -> frozenset[tuple[ServiceName, ServiceName]]:
    """Return the pairs of one mesh that may call."""
    return frozenset(granted(t, Direction.EAST_WEST))


def _from_stranger(family: Family, what: str, target: Target, expect: Refused, known: str | None) -> Probe:
    return Probe(
        id=f"{family}/stranger->{what}",
        family=family,
        vantage=STRANGER,
        target=target,
        request=CONNECT,
        expect=expect,
        why="only named callers reach a pod",
        controls=(STRANGER_CONTROL, *([known] if known else [])),
    )
