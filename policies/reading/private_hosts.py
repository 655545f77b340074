"""Where outside hosts of the topology are: on the internet, but for those whose private addresses the stack file gives."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.meshes import Mesh
from policies.reading.stack_file import said
from policies.reading.values import sequence
from topology.model.base import HostName, Name
from topology.model.system import Egress

if TYPE_CHECKING:
    from policies.reading.stack import Stack

KEY: Final = "perimeter:privateHosts"


def private_hosts(stack: "Stack") -> Mapping[Name, Addresses]:
    """Return the addresses of outside hosts that are not on the internet, by the name of their egress.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    placed = said(stack, KEY) if KEY in stack.config else dict[str, Any]()
    return {name: addresses(*map(str, sequence(given))) for name, given in placed.items()}


def exits_of(stack: "Stack", meshes: Iterable[Mesh]) -> Mapping[Name, Egress]:
    """Return the ways out of the topology whose callers are in one of some meshes."""
    t, known = stack.intent, {mesh.namespace for mesh in meshes}
    return {name: exit_ for name, exit_ in t.egress.items() if t.meshes[t.mesh_of(exit_.services[0])].control_plane in known}


def addresses_of_host(stack: "Stack", host: HostName, port: int, meshes: Iterable[Mesh]) -> Addresses | None:
    """Return the private addresses of an outside host that some mesh calls; None for one on the internet.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    found = private_hosts(stack)
    exits = exits_of(stack, meshes).items()
    return next((found[name] for name, exit_ in exits if name in found and (exit_.host, exit_.port) == (host, port)), None)


def private_on(stack: "Stack", port: int, meshes: Iterable[Mesh] | None = None) -> Addresses:
    """Return the private addresses of all outside hosts that services call on a port: services of some meshes, or (None) of all.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    exits = stack.intent.egress if meshes is None else exits_of(stack, meshes)
    wanted = Addresses()
    for name, found in private_hosts(stack).items():
        if name in exits and exits[name].port == port:
            wanted |= found
    return wanted


def public_ports(stack: "Stack", meshes: Iterable[Mesh] | None = None) -> frozenset[int]:
    """Return the ports of the outside hosts on the internet that services call: services of some meshes, or (None) of all.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    private = private_hosts(stack)
    exits = stack.intent.egress if meshes is None else exits_of(stack, meshes)
    return frozenset(exit_.port for name, exit_ in exits.items() if name not in private)
