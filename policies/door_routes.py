"""Which rules of an API gateway's routes answer the requests of each door, and which requests none of them answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from policies.reading.gateways import ApiGateway, Listener, Match
from policies.reading.gateways import Rule as GatewayRule
from policies.reading.patterns import meet_hosts
from policies.reading.requests import Requests
from policies.reading.stack import Stack
from policies.request_kinds import Doors
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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Taken:
    """The same, without the stack: what is kept for a listener must not keep it alive."""

    name: Name
    door: Door
    rules: tuple[GatewayRule, ...]
    left: tuple[Requests, ...]


_FOUND: WeakKeyDictionary[Listener, tuple[_Taken, ...]] = WeakKeyDictionary()
"""What was worked out; a listener is of one stack."""


def answered(stack: Stack, gateway: ApiGateway, listener: Listener) -> Iterator[Answered]:
    """Yield what a listener does with the requests of each door of its hosts.

    Raises:
        UnknownValueError: where it cannot be told which rule takes a request.
    """
    if listener not in _FOUND:
        _FOUND[listener] = tuple(_taken(stack, listener))
    for each in _FOUND[listener]:
        by = tuple(Published(stack=stack, gateway=gateway, listener=listener, rule=rule) for rule in each.rules)
        yield Answered(name=each.name, door=each.door, by=by, left=each.left)


def _taken(stack: Stack, listener: Listener) -> Iterator[_Taken]:
    doors = Doors(stack.intent)
    for name, door in stack.intent.doors.items():
        if meet_hosts(stack.intent.host_of(door), listener.hostname) is None:
            continue
        rules: dict[GatewayRule, None] = {}
        left: list[Requests] = []
        for requests in doors.through(door):
            rest: Requests | None = requests
            lacking = doors.lacking(requests)
            for match, rule in listener.by_precedence.about(requests.path):
                if rest is not None and lacking.isdisjoint(match.headers) and _takes(match, rule, rest):
                    rules[rule] = None
                    rest = _left(match, rest)
            left += [rest] if rest is not None else []
        yield _Taken(name=name, door=door, rules=tuple(rule for rule in rules if rule.backends), left=tuple(left))


def _takes(match: Match, rule: GatewayRule, requests: Requests) -> bool:
    having = requests.having(match.headers)
    fits = match.method in {None, requests.method} and any(meet_hosts(host, requests.host) for host in rule.hosts)
    return having is not None and fits and any(True for _ in having.at(match.patterns))


def _left(match: Match, requests: Requests) -> Requests | None:
    """Return what a match leaves to those of lower precedence: everything, where it takes only some requests for a path."""
    if match.conditional or not set(match.headers) <= set(requests.headers):
        return requests
    return requests.minus(match.patterns)
