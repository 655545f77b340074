"""Ports for administrators: of istiod, and of other pods' proxies."""

from collections.abc import Iterator
from typing import Final

from topology.derive import names
from topology.derive.probes.calls import everybody
from topology.derive.probes.expectation import Refused
from topology.derive.probes.layer import INSIDE, UNREACHED
from topology.derive.probes.places import NODE_CONTROL, STRANGER_CONTROL, callers, past
from topology.derive.probes.pods import pods_of
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import Request
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import NODE, STRANGER, uncaptured
from topology.model.system import Topology

ADMIN_PORTS: Final = {
    15000: "Envoy's administration",
    15004: "istiod's debugging by way of the proxy",
    15020: "the agent's metrics and health",
    15053: "the agent's DNS",
}
DEBUG_PORTS: Final = {
    15010: "configuration in plaintext",
    15014: "istiod's metrics and debugging",
    8080: "istiod's debugging",
    9876: "istiod's introspection",
}


def administration(t: Topology) -> Iterator[Probe]:
    """Yield ports for administrators: of istiod, and of other pods' proxies."""
    for mesh, about in t.meshes.items():
        plane = names.fqdn(names.istiod(mesh), about.control_plane)
        member = next((name for name in everybody(t) if t.mesh_of(name) == mesh), None)
        for port, what in DEBUG_PORTS.items():
            target = Target(at=At.NAME, name=plane, port=port)
            asked = Request(path="/debug/configz", seconds=2.0)
            rows = [(STRANGER, STRANGER_CONTROL)]
            if member is not None and member in callers(t):
                rows.append((uncaptured(t, member), past(t, member)))
            for vantage, control in rows:
                yield Probe(
                    id=f"{Family.ADMIN}/{vantage}->istiod of {mesh}/{port}",
                    family=Family.ADMIN,
                    vantage=vantage,
                    target=target,
                    request=asked,
                    expect=Refused(by=INSIDE, statuses=(401, 403, 404)),
                    why=what,
                    controls=(control,),
                )
    for name in everybody(t):
        for port, what in ADMIN_PORTS.items():
            target = Target(at=At.POD, pods=pods_of(t, name), port=port)
            for vantage, control in ((STRANGER, STRANGER_CONTROL), (NODE, NODE_CONTROL)):
                if vantage is NODE and port == 15020:
                    continue  # the kubelet of that node asks there for the pod's health
                yield Probe(
                    id=f"{Family.ADMIN}/{vantage}->{name}/{port}",
                    family=Family.ADMIN,
                    vantage=vantage,
                    target=target,
                    request=Request(path="/config_dump", seconds=2.0),
                    expect=Refused(by=UNREACHED),
                    why=what,
                    controls=(control,),
                )
