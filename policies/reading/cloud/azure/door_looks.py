"""What the operations of API Management tell the rules: credentials, headers, limits, width."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure import expressions
from policies.reading.cloud.azure.apis import OPERATION, PRODUCT, SERVICE, SUBSCRIPTION, Operation, subscriptions
from policies.reading.cloud.azure.facts import Facts, Header
from policies.reading.cloud.azure.gateway_looks import station_of
from policies.reading.cloud.azure.ids import below
from policies.reading.cloud.azure.policy import Element
from policies.reading.cloud.azure.served import declared, meeting, north_south
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.compare import pattern_of
from policies.reading.management import is_management
from policies.reading.patterns import EVERY
from policies.reading.resource import Resource
from policies.reading.spoken_headers import CLIENT_CERTIFICATE, MISTAKEN, identity_headers, is_internal
from policies.reading.tiers import fastest, tiers_of
from policies.reading.values import UnknownValueError
from topology.model.base import seconds, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, Issuer, JwtAuth

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CONFIGURATION: Final = "/.well-known/openid-configuration"
"""Where an issuer says which keys sign its tokens (OpenID Connect Discovery 1.0, 4)."""
CHECKED: Final = frozenset(
    {
        *("header-name", "require-scheme", "require-expiration-time", "require-signed-tokens", "clock-skew", "output-token-variable-name"),
        *("failed-validation-httpcode", "failed-validation-error-message"),
    }
)
"""Attributes of `validate-jwt` that are read, or change nothing (Learn, `validate-jwt-policy`)."""
MOST_SKEW: Final = 300
"""Seconds by which clocks may differ before an expired token is a valid one."""
ACTIVE: Final = "active"
"""The state of a key that opens something; whoever says none asks for one (Learn, `api-management-subscriptions`)."""
CONSUMER: Final = "x-perimeter-consumer"
TIER: Final = "x-perimeter-tier"


def opened(resource: Resource, stack: "Stack") -> Iterator[tuple[Operation, Facts]]:
    """Yield the operation of a resource, with what its policies do, where it sends requests on."""
    station = station_of(stack, resource)
    operation = station.operations.get(resource)
    if operation is not None and (facts := station.facts(operation)).forward is not None and not facts.answered:
        yield operation, facts


def is_locked(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A06."""
    for operation, facts in opened(resource, stack):
        for token in facts.tokens:
            yield from (
                Flaw(
                    message=f"{operation}: {each}",
                    fix="check issuer, audience, signature and expiry of every token",
                    resource=token.said_by,
                )
                for each in _weak(token, stack)
            )
        if facts.tokens:
            yield from _claims(operation, facts, stack)
        if not facts.tokens and not facts.keyed and not operation.api.locked:
            yield from _unlocked(operation, facts, stack)
        if facts.keyed or operation.api.locked:
            yield from _keys(operation, facts, stack)
        if facts.cache is not None and _credentials(operation, facts) and not _apart(facts):
            yield Flaw(
                message=f"{operation}: keeps answers, and whoever asks next gets them without the credential",
                fix="vary the cache by what tells clients apart",
                resource=facts.cache.said_by,
            )


def _credentials(operation: Operation, facts: Facts) -> bool:
    return bool(facts.tokens) or facts.keyed or operation.api.locked


def _apart(facts: Facts) -> bool:
    """Say whether kept answers are told apart by who asked."""
    varied = {value.lower() for value in facts.cache.values("vary-by-header")} if facts.cache else set[str]()
    own = {"authorization"} if facts.tokens else {CONSUMER}
    return bool(varied & own)


def _weak(token: Element, stack: "Stack") -> Iterator[str]:
    """Yield every way in which a check of tokens proves less than a token's whole proof."""
    if strange := sorted({*token.node.keys()} - CHECKED):
        yield f"has {', '.join(strange)}, which changes what is checked"
    if token.get("header-name").lower() != "authorization":
        yield "takes tokens from elsewhere than the header Authorization"
    if token.get("require-expiration-time", "true") != "true":
        yield "accepts a token without `exp`, which lasts for ever"
    if token.get("require-signed-tokens", "true") != "true":
        yield "accepts tokens that nobody signed"
    skew = token.get("clock-skew", "0")
    if not skew.isdigit() or int(skew) > MOST_SKEW:
        yield f"accepts tokens for {skew} seconds after they expired"
    if not token.get("failed-validation-httpcode", "401").startswith("4"):
        yield "lets requests with a wrong token through"
    issuers, audiences = token.values("issuers/issuer"), token.values("audiences/audience")
    known = {issuer.issuer: issuer for issuer in stack.intent.issuers.values()}
    if not issuers:
        yield "names no issuer, so whose token it is goes unchecked"
    if not audiences:
        yield "names no audiences, so a token for another API is accepted"
    for name in issuers:
        if name not in known:
            yield f"trusts {name}, which is no issuer of the topology"
        elif more := sorted(set(audiences) - set(known[name].audiences)):
            yield f"accepts tokens for {', '.join(more)}, which the topology does not name as audience of this system"
    yield from _keys_of(token, [known[name] for name in issuers if name in known])


def _keys_of(token: Element, issuers: list[Issuer]) -> Iterator[str]:
    configurations = [element.get("url") for element in token.all("openid-config")]
    if token.all("key"):
        yield "verifies signatures with keys of its own, beside those of the issuer"
    if not configurations and not token.all("key"):
        yield "has no keys to check a signature with"
    for url in configurations:
        if not url.startswith("https://"):
            yield f"fetches its keys from {url or 'nowhere'}, which anybody on the way can change"
        elif not any(_of_issuer(url, issuer) for issuer in issuers):
            yield f"fetches its keys from {url}, which is not of the issuer"


def _of_issuer(url: str, issuer: Issuer) -> bool:
    """Say whether a configuration is where an issuer publishes it, or on the host from which the topology takes its keys."""
    return url == f"{issuer.issuer.removesuffix('/')}{CONFIGURATION}" or _host(url) in {_host(issuer.issuer), _host(issuer.jwks_uri)}


def _host(url: str) -> str:
    return re.sub(r"^https://([^/]+).*$", r"\1", url)


def _claims(operation: Operation, facts: Facts, stack: "Stack") -> Iterator[Flaw]:
    """Tell which claims the topology requires that no check asks for."""
    for door in declared(operation, facts, stack):
        if not isinstance(door.auth, JwtAuth):
            continue
        issuer = stack.intent.issuers[door.auth.jwt]
        required = {claim: tuple(values) for claim, values in issuer.required_claims.items()}
        if issuer.tier_claim and door.tiers:
            required[issuer.tier_claim] = tuple(door.tiers)
        for claim, values in required.items():
            asked = [set(each.values("value")) for token in facts.tokens for each in token.all("claim") if each.get("name") == claim]
            if not asked or not any(each and each <= set(values) for each in asked):
                yield Flaw(
                    message=f"{operation}: accepts a token whatever its claim `{claim}` says; the topology requires one of {', '.join(values)}",
                    fix="ask for it under `required-claims`",
                )


def _unlocked(operation: Operation, facts: Facts, stack: "Stack") -> Iterator[Flaw]:
    public = [edge for edge in north_south(stack) if edge.credential == "public" and operation.method in {edge.method}]
    for host in sorted(facts.hosts or {"*"}):
        if not any(edge.host == host and operation.pattern.within(pattern_of(edge.entry)) for edge in public):
            yield Flaw(
                message=f"{operation}: {operation.method} {host}{operation.pattern} asks nobody who they are, and the topology has no public door there",
                fix="add `validate-jwt`, or `subscriptionRequired: true` on its API",
            )


def _keys(operation: Operation, facts: Facts, stack: "Stack") -> Iterator[Flaw]:
    """Tell whether the keys that open an operation are those of the door's tiers."""
    tiers = {tier for door in declared(operation, facts, stack) if isinstance(door.auth, ApiKeyAuth) for tier in door.auth.api_key}
    if not tiers:
        return
    offered = {product.name for product in operation.api.products}
    taken = offered if facts.products is None else facts.products
    if more := sorted(taken - tiers):
        yield Flaw(
            message=f"{operation}: keys of {', '.join(more)} open it; the door is for {', '.join(sorted(tiers))}",
            fix="name the products of the door's tiers alone",
        )
    if missing := sorted(tiers - (offered & taken)):
        yield Flaw(
            message=f"{operation}: keys of {', '.join(missing)} do not open it, and the door is for them",
            fix="let the API be one of the products of the door's tiers, and its policy take them",
        )
    if not operation.api.locked:
        yield Flaw(
            message=f"{operation}: its API, or a product of it, lets requests without a key in; only a condition in a policy asks",
            fix="write `subscriptionRequired: true` on the API and on its products",
        )
    if operation.api.key_header not in facts.removed:
        yield Flaw(message=f"{operation}: sends the client's key ({operation.api.key_header}) on", fix=f"delete {operation.api.key_header}")
    if operation.api.key_parameter not in facts.not_in_query:
        yield Flaw(
            message=f"{operation}: takes keys from the query, and addresses are logged", fix="refuse requests with the key's parameter"
        )
    if facts.products is None:
        yield Flaw(
            message=f"{operation}: takes every key of its API, also one that is for all APIs",
            fix="refuse keys of other products by a condition on context.Product",
        )


def holders_are_consumers(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A06, for each key."""
    station = station_of(stack, resource)
    for key in subscriptions(stack, station.resource):
        if key.resource is not resource:
            continue
        consumer = stack.intent.consumers.get(key.holder)
        if consumer is None:
            yield Flaw(message=f"is a key of {key.holder}, who is no consumer of the topology", fix="remove it, or declare the consumer")
        elif key.product != consumer.tier:
            what = f"the product {key.product}" if key.product else f"the API {key.api}" if key.api else "every API"
            yield Flaw(
                message=f"is a key of {key.holder} for {what}; the consumer's tier is {consumer.tier}",
                fix="scope it to the product of the tier",
            )


def consumers_have_keys(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A06, for the service: every consumer of the topology whose tier opens a door here has a key that works."""
    keys = list(subscriptions(stack, resource))
    active = {each.holder for each in keys if each.resource.at("state", default=None) == ACTIVE}
    products = {str(each.at("productId")) for each in below(stack, resource, PRODUCT, "serviceName")}
    for name, consumer in stack.intent.consumers.items():
        if consumer.tier in products and name not in active:
            yield Flaw(
                message=f"has no key of {name} that works, who is a consumer of the topology",
                fix="add a Subscription for the product of its tier, and write `state: active`",
            )


def keys_are_given_out(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A06, for each product."""
    del stack
    if resource.at("subscriptionRequired", default=True) is True and resource.at("approvalRequired", default=False) is not True:
        yield Flaw(message="whoever signs up in the developer portal gives himself a key", fix="write `approvalRequired: true`")


def forges_nothing(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A07."""
    for operation, facts in opened(resource, stack):
        for header in sorted(_unasked(operation, facts, resource, stack) - facts.removed):
            yield Flaw(
                message=f"{operation}: passes on a client's own {header}, for which nothing here asks and which nobody has verified",
                fix=f"delete {header}: whoever sees it behind believes that the gateway has",
            )
        wanted = {CLIENT_CERTIFICATE, *identity_headers(stack), *([CONSUMER, TIER] if stack.intent.consumers else [])}
        for header in sorted(wanted - facts.removed):
            yield Flaw(
                message=f"{operation}: passes on a client's own {header}, in which the mesh says who the client is",
                fix=f"delete {header}, or set it from what was verified",
            )
        for header in sorted({*MISTAKEN} - facts.removed):
            yield Flaw(
                message=f"{operation}: passes on a client's own {header}, which some programs take for what a layer in front says",
                fix=f"delete {header}",
            )
        for change in facts.written:
            if is_internal(change.name, stack) and not all(_verified(change, value, operation, facts) for value in change.values):
                yield Flaw(
                    message=f"{operation}: writes {change.name}, by which layers speak of identity or steer each other, and not what the gateway verified",
                    fix=f"take {change.name} from the verified token or key",
                    resource=change.element.said_by,
                )


def _unasked(operation: Operation, facts: Facts, resource: Resource, stack: "Stack") -> frozenset[str]:
    """Return the headers of credentials of other doors. Of the key that an operation asks for itself, A06 says where it ends."""
    keys = {each.api.key_header for each in station_of(stack, resource).operations.values() if each.api.keyed}
    own = {operation.api.key_header} if facts.keyed or operation.api.locked else set[str]()
    return frozenset({*(keys - own), *(() if facts.tokens else ("authorization",))})


def _verified(change: Header, value: str, operation: Operation, facts: Facts) -> bool:
    """Say whether a value comes from a token or key that this operation has checked."""
    if expressions.SUBJECT.fullmatch(value) or expressions.CLAIM.fullmatch(value):
        kept = {token.get("output-token-variable-name") for token in facts.tokens}
        found = expressions.SUBJECT.fullmatch(value) or expressions.CLAIM.fullmatch(value)
        return found is not None and found[1] in kept
    locked = facts.keyed or operation.api.locked
    return locked and ((value in expressions.HOLDER and change.name == CONSUMER) or (value in expressions.PRODUCT and change.name == TIER))


def is_narrow(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A09."""
    hosts = set(stack.intent.public_hosts())
    for operation, facts in opened(resource, stack):
        strange = sorted((facts.hosts or {"*"}) - hosts)
        if strange:
            what = "every host of the gateway" if "*" in strange else f"the host {strange[0]}"
            yield Flaw(
                message=f"{operation}: answers for {what}; the topology's hosts are {', '.join(sorted(hosts))}",
                fix="refuse other hosts by a condition on OriginalUrl.Host",
            )
        entries = {edge.entry for edge in meeting(operation, facts, stack)}
        if operation.pattern == EVERY and "/*" not in entries:
            yield Flaw(message=f"{operation}: takes every path", fix="name the paths of one door")
        elif entries and not any(operation.pattern.within(pattern_of(entry)) for entry in entries):
            yield Flaw(message=f"{operation}: takes {operation.pattern}, and no door is as wide", fix="name the paths of one door")
        elif is_management(operation.pattern):
            yield Flaw(
                message=f"{operation}: publishes {operation.pattern}, where programs show or change their own state",
                fix="take the door out of the topology",
            )


def is_bounded(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A11."""
    for operation, facts in opened(resource, stack):
        if not facts.limits:
            yield Flaw(
                message=f"{operation}: the gateway limits nobody on it", fix="add `rate-limit-by-key`, as the tiers of the topology say"
            )
        doors = declared(operation, facts, stack)
        most = fastest(tiers_of(stack.intent, doors))
        for limit in facts.limits:
            yield from _limit(operation, facts, limit.element, most)
        if facts.forward is not None:
            yield from _wait(operation, facts.forward, doors)
        longest = max((size_in_bytes(door.max_body) for door in doors), default=0)
        if facts.body is None or not facts.sized:
            yield Flaw(
                message=f"{operation}: the gateway does not limit how large a request may be",
                fix="refuse long Content-Length, and bodies without one",
            )
        elif facts.body > longest > 0:
            yield Flaw(message=f"{operation}: takes {facts.body} bytes; the door takes {longest}", fix="give the size of the door")


def _wait(operation: Operation, forward: Element, doors: Iterable[Door]) -> Iterator[Flaw]:
    """Tell whether an answer is waited for longer than a door says, rounded up to whole seconds; Azure's own limit is 300."""
    given = forward.get("timeout", "300")
    longest = math.ceil(max((seconds(door.timeout) for door in doors), default=0))
    if not given.isdigit():
        raise UnknownValueError(f"{forward}: timeout {given}", "a wait that cannot be read")
    if longest and not 0 < int(given) <= longest:
        yield Flaw(
            message=f"{operation}: waits {given} seconds for an answer; its doors allow {longest}",
            fix="give the timeout of the door",
            resource=forward.said_by,
        )


def _limit(operation: Operation, facts: Facts, limit: Element, most: float) -> Iterator[Flaw]:
    calls, period = limit.get("calls"), limit.get("renewal-period")
    if not calls.isdigit() or not period.isdigit() or not int(period):
        raise UnknownValueError(f"{limit}: {calls} per {period}", "a limit that cannot be read")
    if int(calls) / int(period) > most:
        yield Flaw(
            message=f"{operation}: lets a client ask {calls} times in {period} seconds; the tiers of the door allow {most:g} per second",
            fix="give the limits of the topology's tiers",
        )
    if not limit.name.endswith("-by-key"):
        return
    if limit.get("increment-condition"):
        yield Flaw(message=f"{operation}: counts only some requests (increment-condition)", fix="count every request")
    counted = expressions.COUNTED_BY.fullmatch(limit.get("counter-key"))
    if counted is None:
        yield Flaw(
            message=f"{operation}: counts by {limit.get('counter-key')}, and whether clients choose that is not known",
            fix="count by subject, key or address",
            undecided=True,
        )
    elif counted["header"] and not counted["header"].startswith('context.Request.Headers.GetValueOrDefault("x-forwarded-for"'):
        yield Flaw(message=f"{operation}: counts by a header that clients choose", fix="count by subject, key or address")
    elif counted["header"] and _credentials(operation, facts):
        yield Flaw(
            message=f"{operation}: counts a client anew for each of its addresses", fix="count by the token's subject or the key's owner"
        )
    elif counted["address"]:
        yield Flaw(
            message=f"{operation}: counts by the edge's address: what one client takes is missing for all", fix="count by x-forwarded-for"
        )
    elif counted["subject"] and not facts.tokens:
        yield Flaw(message=f"{operation}: counts by a token that nobody checked", fix="count by what was verified")


READERS: Final = (
    Reader(rule="A06", kinds=(OPERATION,), look=is_locked),
    Reader(rule="A06", kinds=(SUBSCRIPTION,), look=holders_are_consumers),
    Reader(rule="A06", kinds=(SERVICE,), look=consumers_have_keys),
    Reader(rule="A06", kinds=(PRODUCT,), look=keys_are_given_out),
    Reader(rule="A07", kinds=(OPERATION,), look=forges_nothing),
    Reader(rule="A09", kinds=(OPERATION,), look=is_narrow),
    Reader(rule="A11", kinds=(OPERATION,), look=is_bounded),
)
