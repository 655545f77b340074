"""Headers of answers behind an Application Gateway: those that doors take out, and those that protect browsers.

An answer passes API Management's `outbound` and then the edge's rewrite rules; either may take a header out. `Server` is the edge's alone:
https://learn.microsoft.com/azure/api-management/set-header-policy (usage notes),
https://learn.microsoft.com/azure/application-gateway/rewrite-http-headers-url.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.apis import OPERATION, Operation
from policies.reading.cloud.azure.application_gateway import KIND, Gateway, Routed, gateways
from policies.reading.cloud.azure.door_looks import opened
from policies.reading.cloud.azure.facts import Facts, header
from policies.reading.cloud.azure.policy import effective
from policies.reading.cloud.azure.served import declared
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.gateway_fields import SPARED_RESPONSE_HEADER
from policies.reading.hsts import HSTS, is_remembered
from policies.reading.patterns import Pattern, covered, meet_all
from policies.reading.resource import Resource
from policies.reading.values import mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

LEFT_BY_THE_GATEWAY: Final = frozenset({"server"})
"""Headers that API Management does not take out, whatever a policy says (Learn, `set-header-policy`, usage notes)."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a header of answers."""

    name: str
    value: str
    """Empty: it is taken out."""
    always: bool
    """It is no matter of a condition."""


def of_the_edge(gateway: Gateway, routed: Routed) -> Iterator[Change]:
    """Yield what the edge changes in answers to requests of a rule, in order.

    Raises:
        UnknownValueError: if a change is not known.
    """
    for edit in gateway.edits(routed.rewrites):
        for each in map(mapping, sequence(edit.get("responseHeaderConfigurations"))):
            always = not edit["conditions"] and not each.get("headerValueMatcher")
            yield Change(name=str(each["headerName"]).lower(), value=str(each.get("headerValue") or ""), always=always)


def of_the_gateway(operation: Operation) -> Iterator[Change]:
    """Yield what API Management changes in answers of an operation, in order.

    Raises:
        UnknownValueError: if a change is not known.
    """
    for element in effective("outbound", operation.documents):
        for each in element.all("set-header"):
            found = header(each)
            value = "" if found.action == "delete" else ",".join(found.values) or "@"
            if value or found.name not in LEFT_BY_THE_GATEWAY:
                yield Change(name=found.name, value=value, always=element.name == "set-header" and found.action in {"delete", "override"})


def taken_out(changes: Iterator[Change]) -> frozenset[str]:
    """Return the headers that no answer has any more: the last word on each counts."""
    gone: set[str] = set()
    for change in changes:
        if change.value:
            gone.discard(change.name)
        elif change.always:
            gone.add(change.name)
    return frozenset(gone)


def spares_protection(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W13: the edge speaks for every service at once."""
    gateway = Gateway(resource=resource)
    doors = stack.intent.doors.values()
    asked = {name for door in doors for name in door.response_headers.remove}
    said = {(name, value) for door in doors for name, value in door.response_headers.set.items()}
    places = {change: place for place in gateway.routes for change in of_the_edge(gateway, place)}
    for change, place in places.items():
        if wrong := _harm(change, asked, said):
            yield Flaw(message=f"{place}: {change.name} of answers: {wrong}", fix="remove it from the rewrite rules")


def _harm(change: Change, asked: set[str], said: set[tuple[str, str]]) -> str:
    if not change.value:
        spared = change.name in asked or re.fullmatch(SPARED_RESPONSE_HEADER, change.name)
        return "" if spared else "takes a header out that may protect their readers"
    if change.name.startswith("access-control-"):
        return "lets scripts of other origins read them"
    if change.name == HSTS:
        return "" if is_remembered(change.value) else "lets browsers speak without TLS again"
    return "" if (change.name, change.value) in said else f"is written as `{change.value}`, of which the topology says nothing"


def loses_what_doors_say(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W13, for each operation: what a door takes out of answers is taken out by the gateway, or on every way through the edge."""
    for operation, facts in opened(resource, stack):
        gone = taken_out(of_the_gateway(operation))
        for door in declared(operation, facts, stack):
            asked = set(door.response_headers.remove) - gone
            if not asked:
                continue
            for place in _ways(operation, facts, stack):
                if kept := sorted(asked - place.gone):
                    yield Flaw(
                        message=f"{operation}: answers keep {kept[0]} through {place}, and the topology takes it out",
                        fix=f"take {kept[0]} out by a rewrite rule of the edge, on every path of the door",
                    )


def remembers_tls(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W13, for each operation."""
    for operation, facts in opened(resource, stack):
        behind = list(of_the_gateway(operation))
        for place in _ways(operation, facts, stack):
            said = [change for change in (*behind, *place.changes) if change.name == HSTS]
            if not said or not said[-1].always or not is_remembered(said[-1].value):
                yield Flaw(
                    message=f"{operation}: answers without Strict-Transport-Security through {place}: a browser's next request may come without TLS",
                    fix='set it to "max-age=31536000" in the policy of all APIs',
                )


@dataclass(frozen=True, kw_only=True)
class _Way:
    """One way of answers through the edge."""

    name: str
    changes: tuple[Change, ...] = ()

    @property
    def gone(self) -> frozenset[str]:
        return taken_out(iter(self.changes))

    def __str__(self) -> str:
        return self.name


def _ways(operation: Operation, facts: Facts, stack: "Stack") -> Iterator[_Way]:
    """Yield the ways through Application Gateways on which an operation is asked; where there is none, one that changes nothing."""
    found = [
        _Way(name=str(routed), changes=tuple(of_the_edge(gateway, routed)))
        for gateway in gateways(stack)
        for routed in _asking(gateway, operation.pattern, facts)
        if routed.pool and gateway.targets(routed.pool)
    ]
    yield from found or [_Way(name="the gateway alone")]


def _asking(gateway: Gateway, pattern: Pattern, facts: Facts) -> Iterator[Routed]:
    """Yield the rules that take requests for paths, of each listener up to the one that takes all that are left."""
    done: set[str] = set()
    for routed in gateway.routes:
        hosts = set(routed.listener.hosts)
        if routed.listener.name in done or (hosts and facts.hosts is not None and not hosts & facts.hosts):
            continue
        if meet_all(routed.patterns, pattern):
            yield routed
        if covered(pattern, routed.patterns):
            done.add(routed.listener.name)


READERS: Final = (
    Reader(rule="W13", kinds=(KIND,), look=spares_protection),
    Reader(rule="W13", kinds=(OPERATION,), look=loses_what_doors_say),
    Reader(rule="W13", kinds=(OPERATION,), look=remembers_tls),
)
