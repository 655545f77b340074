"""The policies of API Management, written from the doors: pure functions that return XML.

A request passes the policy of all APIs and then that of its operation, which is its door's. Nothing is forwarded but by a door's own
policy, so an operation that has lost its policy answers nobody.
Elements and attributes: Learn, `api-management-policies` and the pages it names.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from components.gateway.api_management.expressions import (
    HOST_HEADER,
    JWT,
    SUBJECT,
    every_of,
    first_of,
    header,
    literal,
    with_key,
)
from components.gateway.cors import named_headers
from components.gateway.limits import Unit, Window, tiers_of, windows
from components.gateway.routes import response_change
from components.headers import HIDDEN, REMOVED
from topology.derive import names
from topology.model.base import Name, seconds, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, Issuer, JwtAuth, PublicAuth
from topology.model.system import Topology
from topology.preflights import Preflight

CLIENT_CERTIFICATE: Final = "gateway-client"
"""Id of the certificate that the gateway shows the mesh."""
LONGEST_RATE: Final = 300
"""Seconds over which `rate-limit-by-key` counts, at most; `quota-by-key` counts over longer ones, and not over shorter."""
SECONDS: Final = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3600, Unit.DAY: 86400}
CLOCK_SKEW: Final = 60
"""Seconds by which clocks may differ."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1), so that a request may be sent twice."""
STRICT_TRANSPORT: Final = "max-age=31536000"
CLIENT_HEADER: Final = "x-forwarded-for"
"""The edge says in it the address it has seen, and nothing that a client said. API Management may add the edge's own (Learn,
`set-header-policy`: the address in it cannot be removed), of which each instance has another: the first is the client's."""
FIXED: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers of its own connections, which API Management lets no policy touch (Learn, `set-header-policy`, usage notes)."""
LEFT_IN_ANSWERS: Final = frozenset({"server"})
"""Headers that no policy takes out of answers (the same notes): where a door asks for it, the edge does."""


def every_api() -> str:
    """Return the policy of all APIs: what clients say of themselves ends here, and every request gets an id of ours."""
    root, inbound, _, outbound, on_error = _policies()
    for name in REMOVED:
        if name not in FIXED:
            _remove(inbound, name)
    _set(inbound, names.REQUEST_ID_HEADER, "@(context.RequestId.ToString())")
    _set(inbound, "x-forwarded-proto", "https")
    _set(inbound, "x-forwarded-host", "@(context.Request.OriginalUrl.Host)")
    for section in (outbound, on_error):
        for name in HIDDEN:
            _remove(section, name)
        _set(section, names.REQUEST_ID_HEADER, "@(context.RequestId.ToString())")
        _set(section, "strict-transport-security", STRICT_TRANSPORT)
    return _text(root)


def door(t: Topology, name: Name, backend: str, discovery: Mapping[Name, str], answer: Preflight | None = None) -> str:
    """Return the policy of a door's operations.

    Args:
        t: the system.
        name: the door.
        backend: id of the backend that leads to its mesh.
        discovery: where issuers publish their OpenID configuration, if not where the standard says.
        answer: what browsers are told there.
    """
    about = t.doors[name]
    root, inbound, behind, outbound, on_error = _policies()
    # Not in `backend`, which takes one policy alone: API Management refuses more ("backend section allows only one policy to be specified").
    if answer is not None:
        # Before everything else, or it does not work as it says (Learn, `cors-policy`, common configuration issues).
        _cors(inbound, answer)
    for section in (inbound, outbound, on_error):
        SubElement(section, "base")
    _host(inbound, t.host_of(about))
    _body(inbound, size_in_bytes(about.max_body))
    _authenticate(inbound, t, name, discovery)
    _limit(inbound, t, name)
    for header_name, value in about.request_headers.set.items():
        _set(inbound, header_name, value)
    for header_name in about.request_headers.remove:
        _remove(inbound, header_name)
    _keep(inbound, outbound, about)
    _send(inbound, behind, t, about, backend)
    change = response_change(t, about)
    for header_name, value in change.set.items():
        _set(outbound, header_name, value)
    for header_name, value in change.add.items():
        _set(outbound, header_name, value, action="append")
    for header_name in change.remove:
        if header_name not in LEFT_IN_ANSWERS:
            _remove(outbound, header_name)
    _quota_is_a_limit(on_error)
    return _text(root)


def configuration_of(t: Topology, issuer: Name, discovery: Mapping[Name, str]) -> str:
    """Return where an issuer publishes its OpenID configuration: where the stack file says, or OpenID Connect Discovery 1.0, 4."""
    return discovery.get(issuer) or f"{t.issuers[issuer].issuer.removesuffix('/')}/.well-known/openid-configuration"


def _policies() -> tuple[Element, Element, Element, Element, Element]:
    root = Element("policies")
    inbound, backend, outbound, on_error = (SubElement(root, section) for section in ("inbound", "backend", "outbound", "on-error"))
    return root, inbound, backend, outbound, on_error


def _text(root: Element) -> str:
    indent(root)
    return tostring(root, encoding="unicode")


def _set(section: Element, name: str, value: str, action: str = "override") -> None:
    SubElement(SubElement(section, "set-header", {"name": name, "exists-action": action}), "value").text = value


def _remove(section: Element, name: str) -> None:
    SubElement(section, "set-header", {"name": name, "exists-action": "delete"})


def _when(section: Element, condition: str) -> Element:
    return SubElement(SubElement(section, "choose"), "when", {"condition": f"@({condition})"})


def _refuse(section: Element, condition: str, status: int, reason: str) -> None:
    answer = SubElement(_when(section, condition), "return-response")
    SubElement(answer, "set-status", {"code": str(status), "reason": reason})


def _host(section: Element, host: str) -> None:
    """Refuse other hosts: every host of the gateway leads to every API."""
    asked = f"context.Request.OriginalUrl.Host.Equals({literal(host)}, StringComparison.OrdinalIgnoreCase)"
    _refuse(section, f"!{asked}", 404, "Not Found")


def _cors(section: Element, answer: Preflight) -> None:
    """Say whose scripts may ask and read. A preflight is answered by it alone; no operation takes one.

    Requests of other origins go on as those of no origin do: a client that is no browser may name any.
    """
    cors = answer.cors
    said = {"allow-credentials": str(cors.credentials).lower(), "terminate-unmatched-request": "false"}
    element = SubElement(section, "cors", said)
    _several(SubElement(element, "allowed-origins"), "origin", cors.origins)
    kept = {"preflight-result-max-age": str(int(seconds(cors.max_age)))}
    _several(SubElement(element, "allowed-methods", kept), "method", answer.methods)
    _several(SubElement(element, "allowed-headers"), "header", named_headers(answer))
    if cors.expose:
        _several(SubElement(element, "expose-headers"), "header", cors.expose)


def _body(section: Element, limit: int) -> None:
    """Refuse longer bodies, and those that do not say how long they are."""
    _refuse(section, f'{header("Transfer-Encoding")} != ""', 411, "Length Required")
    _refuse(section, f"long.Parse({header('Content-Length', '0')}) > {limit}", 413, "Content Too Large")


def _authenticate(section: Element, t: Topology, name: Name, discovery: Mapping[Name, str]) -> None:
    about = t.doors[name]
    match about.auth:
        case JwtAuth(jwt=login):
            _token(section, t.issuers[login], configuration_of(t, login, discovery), about)
            _remove(section, names.API_KEY_HEADER)
        case ApiKeyAuth(api_key=tiers):
            _key(section, tiers)
        case PublicAuth():
            _remove(section, "authorization")
            _remove(section, names.API_KEY_HEADER)


def _token(section: Element, issuer: Issuer, configuration: str, about: Door) -> None:
    """Demand a token. It goes on to the mesh ingress, which verifies it again and lets it go no further."""
    check = SubElement(
        section,
        "validate-jwt",
        {
            "header-name": "Authorization",
            "require-scheme": "Bearer",
            "require-expiration-time": "true",
            "require-signed-tokens": "true",
            "clock-skew": str(CLOCK_SKEW),
            "failed-validation-httpcode": "401",
            "failed-validation-error-message": "Unauthorized",
            "output-token-variable-name": JWT,
        },
    )
    SubElement(check, "openid-config", {"url": configuration})
    _several(SubElement(check, "audiences"), "audience", issuer.audiences)
    _several(SubElement(check, "issuers"), "issuer", [issuer.issuer])
    wanted = {claim: list(values) for claim, values in issuer.required_claims.items()}
    if issuer.tier_claim:
        wanted[issuer.tier_claim] = list(about.tiers)
    if wanted:
        claims = SubElement(check, "required-claims")
        for claim, values in wanted.items():
            _several(SubElement(claims, "claim", {"name": claim, "match": "any"}), "value", values)
    # Limits are counted by it, and the mesh asks for it.
    _refuse(section, f"string.IsNullOrEmpty({SUBJECT})", 401, "Unauthorized")
    _set(section, names.SUBJECT_HEADER, f"@({SUBJECT})")
    if issuer.tier_claim:
        _set(section, names.TIER_HEADER, f"@({_claimed_tier(issuer.tier_claim)})")


def _several(parent: Element, tag: str, values: Iterable[str]) -> None:
    for value in values:
        SubElement(parent, tag).text = value


def _key(section: Element, tiers: Iterable[Name]) -> None:
    """Demand the key of a tier that may use the door. Its API has asked for some key; a key in the URL would stand in every log."""
    _refuse(section, f"context.Request.OriginalUrl.Query.ContainsKey({literal(names.API_KEY_HEADER)})", 401, "Unauthorized")
    _refuse(
        section,
        f"context.Subscription == null || context.Product == null || !{every_of(tiers)}.Contains(context.Product.Id)",
        403,
        "Forbidden",
    )
    _set(section, names.CONSUMER_HEADER, "@(context.Subscription.Id)")
    _set(section, names.TIER_HEADER, "@(context.Product.Id)")
    _remove(section, names.API_KEY_HEADER)
    _remove(section, "authorization")


def _limit(section: Element, t: Topology, name: Name) -> None:
    """Count each client of each tier by itself, at this door by itself."""
    about = t.doors[name]
    tiers = tiers_of(about)
    places = {tiers[0]: section} if len(tiers) == 1 else _by_tier(section, t, about, tiers)
    for tier, place in places.items():
        for window in windows(t.tiers[tier]):
            _count(place, window, with_key(f"{name}/{tier}/{window.unit}/", _client(about)))


def _by_tier(section: Element, t: Topology, about: Door, tiers: Iterable[Name]) -> dict[Name, Element]:
    """Return where the limits of each tier stand; whoever is of no tier, or of several, would have none and is refused."""
    choose = SubElement(section, "choose")
    places = {tier: SubElement(choose, "when", {"condition": f"@({_tier(t, about)} == {literal(tier)})"}) for tier in tiers}
    answer = SubElement(SubElement(choose, "otherwise"), "return-response")
    SubElement(answer, "set-status", {"code": "403", "reason": "Forbidden"})
    return places


def _count(section: Element, window: Window, key: str) -> None:
    period = SECONDS[window.unit]
    element = "rate-limit-by-key" if period <= LONGEST_RATE else "quota-by-key"
    SubElement(section, element, {"calls": str(window.requests), "renewal-period": str(period), "counter-key": key})


def _client(about: Door) -> str:
    match about.auth:
        case JwtAuth():
            return SUBJECT
        case ApiKeyAuth():
            return "context.Subscription.Id"
        case PublicAuth():
            return first_of(CLIENT_HEADER)


def _tier(t: Topology, about: Door) -> str:
    """Return the expression for the tier of whoever asks, at a door of several tiers."""
    if isinstance(about.auth, JwtAuth) and (claim := t.issuers[about.auth.jwt].tier_claim):
        return _claimed_tier(claim)
    return "context.Product.Id"


def _claimed_tier(claim: str) -> str:
    return f'((Jwt)context.Variables[{literal(JWT)}]).Claims.GetValueOrDefault({literal(claim)}, "")'


def _keep(inbound: Element, outbound: Element, about: Door) -> None:
    """Keep answers, where a door says so: behind a credential, one for each client."""
    if about.cache is None:
        return
    attributes = {"vary-by-developer": "false", "vary-by-developer-groups": "false", "downstream-caching-type": "none"}
    own = _identity_header(about)
    if own:
        attributes["allow-private-response-caching"] = "true"
    lookup = SubElement(inbound, "cache-lookup", attributes)
    varying = [*([own] if own else []), *(["Origin"] if about.cors else []), *about.cache.vary]
    _several(lookup, "vary-by-header", varying)
    # Answers other than 200 are not kept.
    SubElement(outbound, "cache-store", {"duration": str(max(1, int(seconds(about.cache.ttl))))})


def _identity_header(about: Door) -> str:
    """Return the header that tells a door's clients apart; empty at a public door."""
    match about.auth:
        case JwtAuth():
            return "Authorization"
        case ApiKeyAuth():
            return names.CONSUMER_HEADER
        case PublicAuth():
            return ""


def _send(inbound: Element, behind: Element, t: Topology, about: Door, backend: str) -> None:
    """Send the request to its mesh, by mutual TLS and with the client's own Host; again only where that changes nothing."""
    SubElement(inbound, "set-backend-service", {"backend-id": backend})
    SubElement(inbound, "authentication-certificate", {"certificate-id": CLIENT_CERTIFICATE})
    _set(inbound, HOST_HEADER, t.host_of(about))
    if set(about.methods) <= SAFE:
        again = {"condition": "@(context.Response.StatusCode == 503)", "count": "1", "interval": "1", "first-fast-retry": "true"}
        behind = SubElement(behind, "retry", again)
    SubElement(behind, "forward-request", {"timeout": str(math.ceil(seconds(about.timeout))), "follow-redirects": "false"})


def _quota_is_a_limit(section: Element) -> None:
    """Answer 429 to whoever has used up a quota, as to whoever asks too fast (Learn, `api-management-error-handling-policies`)."""
    SubElement(_when(section, 'context.LastError.Reason == "QuotaExceeded"'), "set-status", {"code": "429", "reason": "Too Many Requests"})
