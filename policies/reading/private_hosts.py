"""Where outside hosts of the topology are: on the internet, but for those whose private addresses the stack file gives."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.stack_file import said
from policies.reading.values import sequence
from topology.model.base import HostName, Name

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


def addresses_of_host(stack: "Stack", host: HostName, port: int) -> Addresses | None:
    """Return the private addresses of an outside host; None for one on the internet.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    found = private_hosts(stack)
    return next(
        (found[name] for name, exit_ in stack.intent.egress.items() if name in found and (exit_.host, exit_.port) == (host, port)), None
    )


def private_on(stack: "Stack", port: int) -> Addresses:
    """Return the private addresses of all outside hosts that services call on a port.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    wanted = Addresses()
    for name, found in private_hosts(stack).items():
        if name in stack.intent.egress and stack.intent.egress[name].port == port:
            wanted |= found
    return wanted


def public_ports(stack: "Stack") -> frozenset[int]:
    """Return the ports of the outside hosts on the internet that services call.

    Raises:
        UnknownValueError: if what the stack file says cannot be read.
    """
    private = private_hosts(stack)
    return frozenset(exit_.port for name, exit_ in stack.intent.egress.items() if name not in private)
