"""Whether a client of a door of API Management has one count, whichever operation of the door is asked.

API Management keeps one counter for each value of `counter-key`, wherever policies have it (Learn, `rate-limit-by-key-policy`,
`quota-by-key-policy`, usage notes): an operation with a key of its own gives every client of the door a second count.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.apis import SERVICE, Operation
from policies.reading.cloud.azure.door_looks import opened
from policies.reading.cloud.azure.door_promises import Promised, promises, served, window
from policies.reading.cloud.azure.facts import Facts
from policies.reading.cloud.azure.gateway_looks import station_of
from policies.reading.cloud.azure.policy import Element
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.promises import broken_promise
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

Count = tuple[str, str, str, str]
"""What makes two limits one: policy, key, calls, and length of the window."""


def counts_once(service: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A11: limits that all operations of a door share keep its clients to what their tiers promise."""
    found = [each for resource in station_of(stack, service).operations for each in served(resource, stack)]
    for door in stack.intent.doors.values():
        own = {operation: facts for operation, facts, each in found if each is door}
        for promised in promises(door, stack):
            yield from _shared(promised, own)


def _shared(promised: Promised, own: Mapping[Operation, Facts]) -> Iterator[Flaw]:
    """Tell which operations count clients by themselves, of those whose limits would do by themselves."""
    counts = {operation: {_count(each, operation): each for each in promised.counting(facts)} for operation, facts in own.items()}
    whole = {operation: limits for operation, limits in counts.items() if not _breaks(promised, limits)}
    everywhere = set[Count]().union(*whole.values()).intersection(*whole.values())
    if not whole or not _breaks(promised, _only(next(iter(whole.values())), everywhere)):
        return
    usual = Counter(map(frozenset, whole.values())).most_common(1)[0][0]
    odd = [operation for operation, limits in whole.items() if _breaks(promised, _only(limits, usual))]
    for operation in odd or whole:  # of limits that each hold alone, some operations may share none with some others
        others = next(
            (str(other) for other, limits in whole.items() if other not in odd and frozenset(limits) == usual), "the door's others"
        )
        yield Flaw(
            message=f"{operation}: counts {promised.client.name} by a key of its own (counter-key): beside what {others} lets them ask, "
            "they may ask here as often again",
            fix="count by the same key in every operation of a door",
            resource=operation.resource,
        )


def _breaks(promised: Promised, limits: Mapping[Count, Element]) -> bool:
    return broken_promise(promised.client, map(window, limits.values())) is not None


def _only(limits: Mapping[Count, Element], chosen: frozenset[Count] | set[Count]) -> dict[Count, Element]:
    return {count: limit for count, limit in limits.items() if count in chosen}


def _count(limit: Element, operation: Operation) -> Count:
    """Return what a limit counts by: without a key of its own, each subscription at the place where it stands."""
    key = limit.get("counter-key") or f"at {operation}"
    return limit.name, key, limit.get("calls"), limit.get("renewal-period")


def keys_are_of_one_window(service: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A11: Learn calls limits that differ for one key unpredictable."""
    windows = defaultdict[tuple[str, str], dict[Count, Element]](dict)
    for resource in station_of(stack, service).operations:
        for operation, facts in opened(resource, stack):
            for limit in (each.element for each in facts.limits if each.element.get("counter-key")):
                windows[limit.name, limit.get("counter-key")].setdefault(_count(limit, operation), limit)
    for (name, key), limits in windows.items():
        if len(limits) > 1:
            said = " and ".join(f"{each.get('calls')} in {each.get('renewal-period')} seconds" for each in limits.values())
            yield Flaw(
                message=f"{name} counts {said} by one key ({key}): which of them its one counter keeps is not known",
                fix="give each window a key of its own",
                resource=next(iter(limits.values())).said_by,
                undecided=True,
            )


READERS: Final = (
    Reader(rule="A11", kinds=(SERVICE,), look=counts_once),
    Reader(rule="A11", kinds=(SERVICE,), look=keys_are_of_one_window),
)
