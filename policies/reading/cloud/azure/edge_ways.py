"""Where an Application Gateway sends what: to the API gateway alone, verified; the doors' requests alone; with no client's words in headers."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.azure import firewall
from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import KIND, Gateway, Routed
from policies.reading.cloud.azure.doors import Door, doors_at
from policies.reading.cloud.azure.edge import Edge
from policies.reading.cloud.azure.ids import last
from policies.reading.cloud.azure.trust_looks import REQUESTS
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.model import GATEWAY, Station, connection
from policies.reading.outside_methods import methods_from_outside
from policies.reading.patterns import Pattern
from policies.reading.resource import Resource
from policies.reading.spoken_headers import CLIENT_CERTIFICATE, ENVOY_INTERNAL, FORWARDED, OVERRIDING, identity_headers
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.rule import Hop

if TYPE_CHECKING:
    from policies.reading.stack import Stack

OWN: Final = frozenset(
    {"client_ip", "host", "http_version", "request_scheme", "server_port", "ssl_connection_protocol", "ssl_server_name", "client_port"}
)
"""Server variables of which the edge knows the value itself (Learn, `rewrite-http-headers-url`); `host` is bound by the listener."""
AUTHORITATIVE: Final[Mapping[str, str]] = {"x-forwarded-for": "{var_client_ip}", FORWARDED: "{var_host}"}
"""Headers that the edge has to write, with what: limits and logs go by the one, and services take the other for the host that was asked for."""
SAID: Final[Mapping[str, str]] = {
    "x-forwarded-for": r"\{var_client_ip\}",
    "x-forwarded-proto": r"https|\{var_request_scheme\}",
    "x-forwarded-host": r"\{var_host\}",
}
"""What the edge says in requests, from what it knows itself. All else is said by clients, and by the gateway of what it verified."""
KUBELET: Final = 10250

_VARIABLE: Final = re.compile(r"\{(var|http_req|http_resp)_([\w-]+)\}")


def leads_to_the_gateway(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W09."""
    gateway = Gateway(resource=resource)
    station = _station(stack, resource)
    for name in dict.fromkeys(routed.pool for routed in gateway.routes if routed.pool):
        for address in gateway.targets(name):
            found = station.azure.at(address)
            if isinstance(found, Station) and found.role == GATEWAY:
                continue
            behind = str(found) if isinstance(found, Station) else str(found.service) if found else address
            yield Flaw(
                message=f"pool {name}: sends requests to {behind} ({address}), which is not the API gateway, so nobody asks who the client is",
                fix="let the pool hold the API gateway's name alone",
                path=(Hop(place=str(station), allowed_by=f"pool {name}", urn=resource.urn), Hop(place=behind, allowed_by=address)),
            )
    for name in dict.fromkeys(routed.settings for routed in gateway.routes if routed.pool and gateway.targets(routed.pool)):
        yield from _transport(gateway, name)
        yield from _answered(gateway, name, stack)
    yield from _network(station, stack)


def _transport(gateway: Gateway, name: str) -> Iterator[Flaw]:
    settings = gateway.part("backendHttpSettingsCollection", name)
    if str(settings.get("protocol")) != "Https":
        yield Flaw(message=f"settings {name}: sends requests without TLS to the gateway", fix="write `protocol: Https`")
        return
    if not settings.get("hostName") and not settings.get("pickHostNameFromBackendAddress"):
        yield Flaw(
            message=f"settings {name}: names no host, so the certificate is held against whatever the client asks for",
            fix="write `hostName`",
        )
    if settings.get("sniName") and settings["sniName"] != settings.get("hostName"):
        yield Flaw(
            message=f"settings {name}: the gateway's certificate is held against {settings['sniName']}, which is not the host that it is asked for",
            fix="remove `sniName`",
        )
    if not settings.get("trustedRootCertificates"):
        yield Flaw(
            message=f"settings {name}: the gateway's certificate is held against public authorities, of which any may sign it",
            fix="name the authority of this system in `trustedRootCertificates`",
        )
    for each in sequence(settings.get("trustedRootCertificates")):
        gateway.part("trustedRootCertificates", last(each))
    for field in ("validateCertChainAndExpiry", "validateSNI"):
        if not settings.get(field, True):  # raises where that is not known
            yield Flaw(message=f"settings {name}: the gateway's certificate is not verified ({field})", fix=f"remove `{field}: false`")


def _answered(gateway: Gateway, name: str, stack: "Stack") -> Iterator[Flaw]:
    """Tell of a host for which API Management neither answers nor shows a certificate: no request comes through."""
    host = str(gateway.part("backendHttpSettingsCollection", name).get("hostName") or "")
    known = {
        str(each.get("hostName")).lower()
        for service in stack.of(SERVICE)
        for each in map(mapping, sequence(service.props.get("hostnameConfigurations")))
        if each.get("type") == REQUESTS
    }
    if host and host.lower() not in known:
        yield Flaw(
            message=f"settings {name}: asks API Management for {host}, for which it does not answer",
            fix="name the host in `hostnameConfigurations` of the service",
        )


def _network(station: Edge, stack: "Stack") -> Iterator[Flaw]:
    """Tell whether the subnet could reach the cluster past the gateway."""
    nodes = stack.cloud.nodes
    if nodes is None:
        return
    if not station.place.filters:
        yield Flaw(message="no security group filters what its subnet may connect to", fix="associate a NetworkSecurityGroup")
        return
    ports = {port.port for service in stack.services for port in service.ports} | {KUBELET}
    for port in sorted(ports):
        decision = connection(station.place, nodes, port)
        if decision.allowed:
            yield Flaw(
                message=f"its subnet can connect to {nodes} on port {port}, past the API gateway",
                fix="let the security group of the subnet open the API gateway's alone",
                resource=decision.resource,
                path=(Hop(place=str(station), allowed_by=""), Hop(place=f"{nodes} port {port}", allowed_by="; ".join(decision.by))),
            )
            return


def opens_doors_alone(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W11. A path with a segment of any name is a prefix here, and methods are those of all doors: the gateway tells them apart."""
    gateway, hosts = Gateway(resource=resource), set(stack.intent.public_hosts())
    for redirect in map(mapping, resource.at("redirectConfigurations", default=[])):
        yield from _redirect(redirect, hosts)
    for routed in gateway.routes:
        if routed.redirect:
            gateway.part("redirectConfigurations", routed.redirect)  # raises where there is none
            continue
        if not routed.pool or not gateway.targets(routed.pool):
            continue
        if strange := sorted(set(routed.listener.hosts or ("*",)) - hosts):
            yield Flaw(
                message=f"{routed}: sends on requests for {', '.join(strange)}, which is no host of the topology",
                fix="name hosts of the topology",
            )
        doors = list(doors_at(stack, routed))
        for pattern in routed.patterns:
            if not any(_fits(pattern, door) for door in doors):
                yield Flaw(
                    message=f"{routed}: sends on {pattern}, and no door of the topology is as wide",
                    fix="name the paths of doors; let the rest go to an empty pool",
                )
        yield from _methods(gateway, routed, stack)
        yield from _hosts(gateway, routed, stack)


def _methods(gateway: Gateway, routed: Routed, stack: "Stack") -> Iterator[Flaw]:
    policy = gateway.firewall(stack, routed)
    doors = methods_from_outside(stack)
    methods = firewall.only(policy, "RequestMethod") if policy else None
    if methods is None or not methods <= doors:
        which = "every method" if methods is None else ", ".join(sorted(methods - doors))
        yield Flaw(
            message=f"{routed}: lets {which} pass; the doors take {', '.join(sorted(doors))}",
            fix="refuse other methods by a rule of the policy",
            resource=policy,
        )


def _hosts(gateway: Gateway, routed: Routed, stack: "Stack") -> Iterator[Flaw]:
    """Tell which hosts the firewall lets pass: what a listener takes for a host's, the layers behind tell by this header alone."""
    policy = gateway.firewall(stack, routed)
    named = firewall.only(policy, "RequestHeaders", "host") if policy else None
    hosts = stack.intent.public_hosts()
    own = {*hosts, *(f"{host}:{routed.listener.port}" for host in hosts)}
    if named is None or not named <= own:
        which = "every host" if named is None else ", ".join(sorted(named - own))
        yield Flaw(
            message=f"{routed}: its firewall lets requests for {which} pass; the topology has {', '.join(sorted(hosts))}",
            fix="refuse other hosts by a rule of the policy",
            resource=policy,
        )


def _fits(pattern: Pattern, door: Door) -> bool:
    """Say whether a path of the edge is a door's, as far as it can tell: up to the first segment of any name."""
    fixed = tuple(segment for segment in _until_any(door.pattern))
    whole = len(fixed) == len(door.pattern.segments)
    return pattern.within(door.pattern if whole else Pattern(fixed, ""))


def _until_any(pattern: Pattern) -> Iterator[str]:
    for segment in pattern.segments:
        if segment is None:
            return
        yield segment


def _redirect(redirect: Mapping[str, Any], hosts: set[str]) -> Iterator[Flaw]:
    """Tell of a redirect to strangers, whether some rule uses it or not: the next one may."""
    target = str(redirect.get("targetUrl") or "")
    if target and re.sub(r"^https://([^/]+).*$", r"\1", target) not in hosts:
        yield Flaw(
            message=f"redirect {redirect.get('name')}: sends clients to {target}, which is no host of the topology",
            fix="redirect to the system's own hosts",
        )


def forges_nothing(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A07."""
    gateway = Gateway(resource=resource)
    wanted = {CLIENT_CERTIFICATE, *ENVOY_INTERNAL, *OVERRIDING, *identity_headers(stack)}
    places: dict[tuple[str, frozenset[str]], list[Routed]] = {}
    for routed in gateway.routes:
        if routed.pool and gateway.targets(routed.pool):
            places.setdefault((routed.rewrites, frozenset(_refused_headers(gateway, routed, stack))), []).append(routed)
    for (rewrites, refused), routes in places.items():
        where = f"{routes[0]}{f' and {len(routes) - 1} more' if len(routes) > 1 else ''}"
        yield from _headers(where, _values(gateway, rewrites), wanted - refused)
        yield from _said(where, gateway, rewrites)


def _values(gateway: Gateway, rewrites: str) -> dict[str, str]:
    """Return the values that a set of rewrite rules gives to headers of every request; empty removes one."""
    values: dict[str, str] = {}
    for edit in gateway.edits(rewrites):
        if not edit["conditions"]:
            changes = [mapping(each) for each in sequence(edit.get("requestHeaderConfigurations"))]
            # With a matcher, a change is of some values alone.
            whole = [each for each in changes if not each.get("headerValueMatcher")]
            values |= {str(each["headerName"]).lower(): str(each.get("headerValue") or "") for each in whole}
    return values


def _headers(where: str, values: dict[str, str], wanted: set[str]) -> Iterator[Flaw]:
    if kept := sorted(wanted - {name for name, value in values.items() if not value}):
        more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
        yield Flaw(
            message=f"{where}: passes on a client's own {kept[0]}{more}", fix=f'set {kept[0]} to "" by a rewrite rule, on every path'
        )
    for header, known in AUTHORITATIVE.items():
        if header not in values:
            yield Flaw(message=f"{where}: passes on a client's own {header}", fix=f"write {header} by a rewrite rule from {known}")
        elif not values[header]:
            yield Flaw(message=f"{where}: takes {header} away, and says nothing in its place", fix=f"write {header} from {known}")


def _said(where: str, gateway: Gateway, rewrites: str) -> Iterator[Flaw]:
    """Tell what the edge writes into requests, be it under a condition, that it does not know itself."""
    changes = [mapping(each) for edit in gateway.edits(rewrites) for each in sequence(edit.get("requestHeaderConfigurations"))]
    written = {(str(each["headerName"]).lower(), str(each.get("headerValue") or "")) for each in changes}
    for header, value in sorted(written):
        if not value or re.fullmatch(SAID.get(header, ""), value):
            continue
        chosen = [f"{kind}_{name}" for kind, name in _VARIABLE.findall(value) if kind != "var" or name not in OWN]
        what = f"what the client chose ({', '.join(chosen)})" if chosen else f"`{value}`, which the edge does not know,"
        yield Flaw(
            message=f"{where}: writes {what} into {header}", fix=f"write {header} from what the edge knows itself, or leave it alone"
        )


def _refused_headers(gateway: Gateway, routed: Routed, stack: "Stack") -> set[str]:
    """Return the headers with which the firewall refuses a request."""
    policy = gateway.firewall(stack, routed)
    if policy is None or not firewall.is_on(policy):
        return set()
    return {
        selector
        for rule in firewall.custom_rules(policy)
        if rule.refuses and len(rule.conditions) == 1
        for condition in rule.conditions
        if condition.operator == "Any" and not condition.negated
        for variable, selector in condition.variables
        if variable == "RequestHeaders"
    }


def _station(stack: "Stack", resource: Resource) -> Edge:
    found = next((each for each in stack.cloud.stations if each.resource is resource), None)
    if not isinstance(found, Edge):
        raise UnknownValueError(str(resource), "a gateway of which it is not known where it stands")
    return found


READERS: Final = (
    Reader(rule="W09", kinds=(KIND,), look=leads_to_the_gateway),
    Reader(rule="W11", kinds=(KIND,), look=opens_doors_alone),
    Reader(rule="A07", kinds=(KIND,), look=forges_nothing),
)
