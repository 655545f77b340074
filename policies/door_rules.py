"""Which rules of a listener's routes take the requests of each door, and which requests none of them takes.

Of rules that overlap, the one that wins takes a request: a wide door's rule knows nothing of the doors inside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from policies.reading.gateways import Listener, Match, Rule
from policies.reading.patterns import meet_hosts
from policies.reading.requests import Requests
from policies.reading.stack import Stack
from policies.request_kinds import Doors
from topology.model.base import Name
from topology.model.door import Door


@dataclass(frozen=True, kw_only=True, eq=False)
class Taken:
    """What the rules of one listener do with the requests of one door."""

    name: Name
    door: Door
    rules: tuple[Rule, ...]
    """Those that take some of them, whether they send them on or not."""
    left: tuple[Requests, ...]
    """Requests that no rule takes."""


_FOUND: WeakKeyDictionary[Listener, tuple[Taken, ...]] = WeakKeyDictionary()
"""What was worked out; a listener is of one stack, which nothing here keeps alive."""


def taken(stack: Stack, listener: Listener) -> tuple[Taken, ...]:
    """Return what a listener does with the requests of each door of its hosts, in the order of the topology.

    Raises:
        UnknownValueError: where it cannot be told which rule takes a request.
    """
    if listener not in _FOUND:
        _FOUND[listener] = tuple(_taken(stack, listener))
    return _FOUND[listener]


def _taken(stack: Stack, listener: Listener) -> Iterator[Taken]:
    doors = Doors(stack.intent)
    for name, door in stack.intent.doors.items():
        if meet_hosts(stack.intent.host_of(door), listener.hostname) is None:
            continue
        rules: dict[Rule, None] = {}
        left: list[Requests] = []
        for requests in doors.through(door):
            rest: Requests | None = requests
            lacking = doors.lacking(requests)
            for match, rule in listener.by_precedence.about(requests.path):
                if rest is not None and lacking.isdisjoint(match.headers) and _takes(match, rule, rest):
                    rules[rule] = None
                    rest = _left(match, rest)
            left += [rest] if rest is not None else []
        yield Taken(name=name, door=door, rules=tuple(rules), left=tuple(left))


def _takes(match: Match, rule: Rule, requests: Requests) -> bool:
    having = requests.having(match.headers)
    fits = match.method in {None, requests.method} and any(meet_hosts(host, requests.host) for host in rule.hosts)
    return having is not None and fits and any(True for _ in having.at(match.patterns))


def _left(match: Match, requests: Requests) -> Requests | None:
    """Return what a match leaves to those of lower precedence: everything, where it takes only some requests for a path."""
    if match.conditional or not set(match.headers) <= set(requests.headers):
        return requests
    return requests.minus(match.patterns)
