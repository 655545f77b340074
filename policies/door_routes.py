"""Which rules of an API gateway's routes answer the requests of each door, with the policies that hold there."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.door_rules import taken
from policies.reading.gateways import ApiGateway, Listener
from policies.reading.requests import Requests
from policies.reading.stack import Stack
from policies.route_rule import Published
from topology.model.base import Name
from topology.model.door import Door


@dataclass(frozen=True, kw_only=True, eq=False)
class Answered:
    """What one listener of a gateway does with the requests of one door."""

    name: Name
    door: Door
    by: tuple[Published, ...]
    """The rules of routes that take some of them and send them on."""
    left: tuple[Requests, ...]
    """Requests that no rule takes."""


def answered(stack: Stack, gateway: ApiGateway, listener: Listener) -> Iterator[Answered]:
    """Yield what a listener does with the requests of each door of its hosts.

    Raises:
        UnknownValueError: where it cannot be told which rule takes a request.
    """
    for each in taken(stack, listener):
        by = (Published(stack=stack, gateway=gateway, listener=listener, rule=rule) for rule in each.rules if rule.backends)
        yield Answered(name=each.name, door=each.door, by=tuple(by), left=each.left)
