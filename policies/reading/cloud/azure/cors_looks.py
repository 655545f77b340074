"""What API Management tells browsers: one `cors` policy of an operation, which answers preflights for its path before any other is asked.

Elements and attributes: https://learn.microsoft.com/azure/api-management/cors-policy.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure import expressions
from policies.reading.cloud.azure.apis import OPERATION, Operation
from policies.reading.cloud.azure.door_promises import served
from policies.reading.cloud.azure.gateway_looks import station_of
from policies.reading.cloud.azure.policy import SECTIONS, Element, effective
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cors import Said, lower, wrong
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError
from topology.edges import ANY_METHOD
from topology.model.base import Name
from topology.model.cors import PREFLIGHT

if TYPE_CHECKING:
    from policies.reading.stack import Stack

PREFIX: Final = "access-control-"
USUAL: Final = ("GET", "POST")
"""The methods where none are named."""
PARTS: Final = ("allowed-origins", "allowed-methods", "allowed-headers", "expose-headers")
ANSWERS: Final = ("outbound", "on-error")
"""Sections in which headers are those of the answer."""
FIX: Final = "say what the topology's `cors` says, in one policy `cors` that begins `inbound`, and nothing at doors that name none"


def speaks_to_browsers(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A15."""
    operation = station_of(stack, resource).operations.get(resource)
    if operation is None:
        return
    found = [door for _, _, door in served(resource, stack)]
    names = [name for name, door in stack.intent.doors.items() if any(door is each for each in found)]
    said, element = _said(operation)
    for name in names:
        yield from _held(operation, said, element, name, stack)
    if element is not None:
        if not names:
            yield Flaw(message=f"{operation}: speaks to browsers where no door has `cors`", fix=FIX, resource=element.said_by)
        yield from _in_the_way(operation, element)
    methods = {method for name in names for method in stack.intent.doors[name].methods}
    if operation.method in {PREFLIGHT, ANY_METHOD} and PREFLIGHT not in methods:
        yield Flaw(message=f"{operation}: {PREFLIGHT} requests go on, and no `cors` answers them", fix="remove the operation")
    yield from _by_hand(operation)


def _held(operation: Operation, said: Said | None, element: Element | None, name: Name, stack: "Stack") -> Iterator[Flaw]:
    """Hold what an operation says against what one of its doors does."""
    answer = stack.preflights_by_door.get(name)
    blamed = element.said_by if element else None
    if answer is None and said is not None:
        yield Flaw(message=f"{operation}: speaks to browsers for the door {name}, which has no `cors`", fix=FIX, resource=blamed)
    elif answer is not None and said is None:
        yield Flaw(message=f"{operation}: says nothing to browsers for the door {name}, which names `{answer.policy}`", fix=FIX)
    elif answer is not None and said is not None:
        for each in wrong(said, answer):
            yield Flaw(message=f"{operation}: {each} (the door {name})", fix=FIX, resource=blamed)


def _by_hand(operation: Operation) -> Iterator[Flaw]:
    """Tell of headers by which an operation speaks to browsers without `cors`."""
    for section in SECTIONS:
        policies = list(effective(section, operation.documents))
        if section not in ANSWERS:  # there a header is the request's, but in an answer of the gateway's own
            policies = [each for policy in policies for each in policy.all("return-response")]
        for edit in (each for policy in policies for each in policy.all("set-header")):
            if edit.get("name").lower().startswith(PREFIX) and edit.get("exists-action", "override") != "delete":
                message = f"{operation}: {section} says whose scripts may read answers by itself ({edit.get('name')})"
                yield Flaw(message=message, fix=FIX, resource=edit.said_by)


def _said(operation: Operation) -> tuple[Said | None, Element | None]:
    """Return what an operation's policies tell browsers, and the element that says it: of several, which one speaks cannot be told."""
    found = [each for each in effective("inbound", operation.documents) if each.name == "cors" or each.all("cors")]
    if not found:
        return None, None
    if len(found) > 1 or found[0].name != "cors":
        raise UnknownValueError(", ".join(map(str, found)), "several policies `cors`, or one under a condition")
    (element,) = found
    texts = [*element.node.itertext(), *(value for node in element.node.iter() for value in node.attrib.values())]
    if dynamic := next((text for text in texts if expressions.is_dynamic(text)), None):
        raise UnknownValueError(f"{element}: {dynamic.strip()}", "an expression")
    if twice := next((part for part in PARTS if len(element.all(part)) > 1), None):
        raise UnknownValueError(f"{element}: {twice}", "said twice, and which one holds is not known")
    methods = element.values("allowed-methods/method") or USUAL
    age = next((each.get("preflight-result-max-age", "0") for each in element.all("allowed-methods")), "0")
    if not age.isdecimal():
        raise UnknownValueError(f"{element}: preflight-result-max-age {age}", "no number of seconds")
    return Said(
        origins=frozenset(element.values("allowed-origins/origin")),
        methods=frozenset(methods),
        headers=lower(element.values("allowed-headers/header")),
        expose=lower(element.values("expose-headers/header")),
        credentials=element.get("allow-credentials", "false").lower() != "false",
        max_age=float(age),
    ), element


def _in_the_way(operation: Operation, element: Element) -> Iterator[Flaw]:
    first = next(iter(effective("inbound", operation.documents)))
    if first.node is not element.node:
        message = f"{operation}: <{first.name}> stands before `cors`, which then does not answer as it says"
        yield Flaw(message=message, fix="begin `inbound` with it", resource=element.said_by)
    if element.get("terminate-unmatched-request", "true") != "false":
        message = f"{operation}: ends requests that name another origin, which any client may, by an empty 200"
        yield Flaw(message=message, fix='set terminate-unmatched-request="false"', resource=element.said_by)


READERS: Final = (Reader(rule="A15", kinds=(OPERATION,), look=speaks_to_browsers),)
