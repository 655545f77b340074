"""What operations of API Management do otherwise than the topology's doors say: headers, kept answers, limits of tiers, requests sent again.

That there are credentials, limits and bounds at all, `door_looks.py` asks.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.answers import LEFT_BY_THE_GATEWAY
from policies.reading.cloud.azure.apis import OPERATION, Operation
from policies.reading.cloud.azure.door_looks import CONSUMER, opened
from policies.reading.cloud.azure.facts import Facts, Header, header
from policies.reading.cloud.azure.policy import Element, effective
from policies.reading.cloud.azure.served import declared
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cors import told_apart
from policies.reading.door_headers import Edits, wrong_in_answers, wrong_in_requests
from policies.reading.gateway_fields import SPARED_RESPONSE_HEADER
from policies.reading.hsts import HSTS, is_remembered
from policies.reading.promises import Client, Window, broken_promise
from policies.reading.resource import Resource
from policies.reading.spoken_headers import is_internal
from topology.model.base import seconds
from topology.model.door import ApiKeyAuth, Door, JwtAuth

if TYPE_CHECKING:
    from policies.reading.stack import Stack

REQUEST_ID: Final = ("x-request-id", "@(context.RequestId.ToString())")
OWN: Final = frozenset({REQUEST_ID, ("x-forwarded-proto", "https"), ("x-forwarded-host", "@(context.Request.OriginalUrl.Host)")})
"""What the gateway writes into requests from what it knows itself."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, so that a request may be sent twice (RFC 9110, 9.2.1)."""


def served(resource: Resource, stack: "Stack") -> Iterator[tuple[Operation, Facts, Door]]:
    """Yield an operation with each door of which it answers requests."""
    for operation, facts in opened(resource, stack):
        yield from ((operation, facts, door) for door in declared(operation, facts, stack))


def changes_requests_as_said(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A07: services believe what a door says of the headers of requests."""
    for operation, facts, door in served(resource, stack):
        for wrong in wrong_in_requests(door, _edits(facts.headers), lambda name: name == "host" or is_internal(name, stack)):
            yield Flaw(
                message=f"{operation}: of requests, {wrong}", fix="change the headers that the door's `requestHeaders` name, and no others"
            )


def changes_answers_as_said(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W13. Whether headers that a door takes out are gone at the edge, `answers.loses_what_doors_say` asks."""
    for operation, _, door in served(resource, stack):
        asked = set(door.response_headers.remove)
        for section in ("outbound", "on-error"):
            edits = _edits(_headers(operation, section))
            lost = sorted(name for name in edits.removed - asked if not re.fullmatch(SPARED_RESPONSE_HEADER, name))
            for name in lost:
                yield Flaw(
                    message=f"{operation}: {section} takes {name} out, which may protect the readers of answers", fix="leave it alone"
                )
            if section == "outbound":
                whole = Edits(written=edits.written, alone=edits.alone, removed=edits.removed | asked)
                wrong = list(wrong_in_answers(stack.intent, door, whole))
            else:
                known = {*door.response_headers.set.items()}
                beyond = {each for each in edits.written - known if not (each[0] == HSTS and is_remembered(each[1]))}
                wrong = [f"{name} is written as `{value}`, of which the topology says nothing" for name, value in sorted(beyond)]
            for each in wrong:
                yield Flaw(
                    message=f"{operation}: of answers ({section}), {each}",
                    fix="change the headers that the door's `responseHeaders` name, and no others",
                )


def _headers(operation: Operation, section: str) -> list[Header]:
    """Return the changes of headers of answers, be they under a condition."""
    return [header(each) for element in effective(section, operation.documents) for each in element.all("set-header")]


def _edits(changes: Iterable[Header]) -> Edits:
    """Return what changes come to, the last word on each header last; what the gateway says of itself left out."""
    written, alone, removed = set[tuple[str, str]](), set[tuple[str, str]](), set[str]()
    for change in changes:
        said = (change.name, ",".join(change.values))
        if change.action in {"delete", "override"}:
            written, alone = ({each for each in found if each[0] != change.name} for found in (written, alone))
        if change.action == "delete":
            removed.add(change.name)
        elif said not in OWN:
            removed.discard(change.name)
            written.add(said)
            if change.action == "override":
                alone.add(said)
    return Edits(written=frozenset(written), alone=frozenset(alone), removed=frozenset(removed - LEFT_BY_THE_GATEWAY))


def keeps_answers_as_said(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A06, for answers that are kept."""
    for operation, facts, door in served(resource, stack):
        stored = [each for each in effective("outbound", operation.documents) if each.name == "cache-store"]
        for wrong in _kept_otherwise(facts, stored, door) if stored or facts.cache else ():
            yield Flaw(message=f"{operation}: keeps answers{wrong}", fix="keep answers as the `cache` of the door says, and no others")


def _kept_otherwise(facts: Facts, stored: list[Element], door: Door) -> Iterator[str]:
    if door.cache is None:
        yield ", of which the topology says nothing"
        return
    for each in stored:
        if int(each.get("duration") or 0) > max(1, int(seconds(door.cache.ttl))):
            yield f" for {each.get('duration')} seconds; the topology says {door.cache.ttl}"
    told = {value.lower() for value in facts.cache.values("vary-by-header")} if facts.cache else set[str]()
    own = ("authorization",) if isinstance(door.auth, JwtAuth) else (CONSUMER,) if isinstance(door.auth, ApiKeyAuth) else ()
    for name in sorted({*door.cache.vary, *own, *told_apart(door)} - told):
        yield f" without telling them apart by {name}"
    if facts.after_cache:
        yield f", and gives them to whoever asks before <{facts.after_cache[0].name}>"


def keeps_promises(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A11: limits together keep the clients of each tier to what it promises; each count is one for all operations that have its key."""
    for operation, facts, door in served(resource, stack):
        if not facts.limits:
            continue  # `door_looks.is_bounded` says so
        if facts.uncounted:
            yield Flaw(message=f"{operation}: counts nobody who is of none of its tiers", fix="refuse them (`otherwise`)")
        for promised in promises(door, stack):
            if broken := broken_promise(promised.client, map(window, promised.counting(facts))):
                yield Flaw(message=f"{operation}: {broken}", fix="give the limits of the topology's tiers")


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What a door promises the clients of one of its tiers."""

    client: Client
    tier: str
    claim: str
    """The claim of a token that says the tier; empty where the key's product does."""

    def counting(self, facts: Facts) -> Iterator[Element]:
        """Yield the limits of an operation that count these clients."""
        for each in facts.limits:
            if not each.tier or (each.tier == self.tier and each.claim == self.claim):
                yield each.element


def promises(door: Door, stack: "Stack") -> Iterator[Promised]:
    """Yield what a door promises, for each of its tiers."""
    claim = stack.intent.issuers[door.auth.jwt].tier_claim if isinstance(door.auth, JwtAuth) else None
    for name in door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else door.tiers:
        yield Promised(client=Client(name=f"clients of the tier {name}", tier=stack.intent.tiers[name]), tier=name, claim=claim or "")


def window(limit: Element) -> Window:
    """Return a limit as a window: API Management counts once, wherever the key is (Learn, `rate-limit-by-key-policy`, usage notes)."""
    return Window(requests=int(limit.get("calls")), seconds=int(limit.get("renewal-period")), once=True)


def sends_again_what_changes_nothing(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A14: a payment that is sent twice may be made twice."""
    for operation, facts in opened(resource, stack):
        if facts.again is not None and operation.method not in SAFE:
            yield Flaw(
                message=f"{operation}: sends {operation.method} again (retry), which the service may have begun to work on",
                fix=f"try again at operations of {', '.join(sorted(SAFE))} alone",
                resource=facts.again.said_by,
            )


READERS: Final = (
    Reader(rule="A06", kinds=(OPERATION,), look=keeps_answers_as_said),
    Reader(rule="A07", kinds=(OPERATION,), look=changes_requests_as_said),
    Reader(rule="A11", kinds=(OPERATION,), look=keeps_promises),
    Reader(rule="A14", kinds=(OPERATION,), look=sends_again_what_changes_nothing),
    Reader(rule="W13", kinds=(OPERATION,), look=changes_answers_as_said),
)
