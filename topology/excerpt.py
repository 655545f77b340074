"""The part of a topology around some services, to be looked at: what leads to them, what they call, and nothing between others.

It is no topology that the laws would admit: of a service beside them only its name and look are left.
"""

from collections.abc import Collection

from topology.model.base import ServiceName
from topology.model.system import Topology


def around(t: Topology, core: Collection[ServiceName]) -> Topology:
    """Return the doors, calls, bridges and ways out of some services, and the services at the other ends of them."""

    def kept(caller: ServiceName, callee: ServiceName) -> bool:
        return caller in core or callee in core

    services = {
        name: service.model_copy(update={"calls": {callee: granted for callee, granted in service.calls.items() if kept(name, callee)}})
        for name, service in t.services.items()
    }
    compositions = {
        name: composition.model_copy(update={"parts": {key: part for key, part in composition.parts.items() if kept(name, part.service)}})
        for name, composition in t.compositions.items()
    }
    bridges = {name: bridge for name, bridge in t.bridges.items() if kept(bridge.source, bridge.target)}
    exits = {
        name: exit_.model_copy(update={"services": tuple(service for service in exit_.services if service in core)})
        for name, exit_ in t.egress.items()
    }
    shown = {*core, *(end for bridge in bridges.values() for end in (bridge.source, bridge.target))}
    for name, service in services.items():
        shown |= {name, *service.calls} if service.calls else set()
    for name, composition in compositions.items():
        shown |= {name, *(part.service for part in composition.parts.values())} if composition.parts else set()
    return t.model_copy(
        update={
            "services": {name: service for name, service in services.items() if name in shown},
            "compositions": {name: composition for name, composition in compositions.items() if name in shown},
            "doors": {name: door for name, door in t.doors.items() if door.service in core},
            "bridges": bridges,
            "egress": {name: exit_ for name, exit_ in exits.items() if exit_.services},
            "meshes": {name: mesh for name, mesh in t.meshes.items() if any(t.mesh_of(each) == name for each in shown)},
        }
    )
