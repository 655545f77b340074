"""What a proxy lets through, by the grants and denials that hold for it.

Follows istio 1.31: pilot/pkg/security/authz (model, builder).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from policies.reading.grants import HTTP_KEYS, PEER_KEYS, SNI, Condition, Grant, text_holds
from policies.reading.meshes import Mesh, Proxy
from policies.reading.patterns import EVERY, ByFirst, Pattern, parse
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.services import HTTP_PROTOCOLS, Service
from policies.reading.values import sequence
from topology.edges import ANY_METHOD


class Mtls(Enum):
    """What a port accepts."""

    STRICT = "STRICT"
    PERMISSIVE = "PERMISSIVE"
    DISABLE = "DISABLE"


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """Requests that a guard lets through."""

    requests: Requests
    demands: frozenset[str] = frozenset()
    """Issuers of which a token must be shown (one of each)."""
    policy: Resource | None = None
    """The policy that allows them; None where no policy restricts the pod."""
    doubt: str = ""
    """What may still refuse some of them."""


@dataclass(kw_only=True)
class Guard:
    """What stands in front of the application in a pod, or in front of a gateway."""

    pod: Pod
    mesh: Mesh
    proxy: Proxy
    allow: list[Grant] | None = None
    """Grants of the ALLOW policies; None where there is no ALLOW policy: then everything is allowed."""
    deny: list[Grant] = field(default_factory=list[Grant])
    custom: list[Resource] = field(default_factory=list[Resource])
    """Policies that ask an external authorizer."""
    allowing: list[Resource] = field(default_factory=list[Resource])
    """The ALLOW policies themselves."""
    issuers: dict[str, Resource] = field(default_factory=dict[str, Resource])
    """Issuers whose tokens are verified, and by which RequestAuthentication."""
    mtls: Mtls = Mtls.PERMISSIVE
    port_mtls: dict[int, Mtls] = field(default_factory=dict[int, Mtls])
    strict_by: Resource | None = None
    """The PeerAuthentication that decided."""
    _indexes: dict[tuple[int, bool], ByFirst[Grant]] = field(default_factory=dict[tuple[int, bool], ByFirst[Grant]])
    _asked: dict[str, "Guard"] = field(default_factory=dict[str, "Guard"])

    def mtls_on(self, port: int) -> Mtls:
        """Return what a container port accepts."""
        return self.port_mtls.get(port, self.mtls)

    def asked_for(self, sni: str) -> "Guard":
        """Return what stands in front of connections that ask for a name: the same, with every condition on the name answered."""
        if sni not in self._asked:
            allow = None if self.allow is None else [*_asking(self.allow, sni)]
            self._asked[sni] = replace(self, allow=allow, deny=[*_asking(self.deny, sni)], _indexes={}, _asked={})
        return self._asked[sni]

    def grants(self, port: int, *, http: bool) -> Iterator[Grant]:
        """Yield the grants that can hold on a port."""
        for grant in sequence(self.allow):
            ports = [condition for condition in grant.conditions if condition.key == "destination.port"]
            if all(text_holds(condition, str(port)) for condition in ports) and (http or not grant.http_only):
                yield grant

    def admit(self, requests: Requests, identity: str, port: int, *, http: bool = True) -> Iterator[Admitted]:
        """Yield what is let through of the requests of one peer (identity empty: without certificate).

        Raises:
            UnknownValueError: where a policy cannot be read.
        """
        if self.allow is None:
            yield from self._after_deny(Admitted(requests=requests), identity, port, http=http)
            return
        for grant in self._index(port, http=http).about(requests.path):
            if grant.admits_peer(identity):
                yield from self.admit_by(grant, requests, identity, port, http=http)

    def _index(self, port: int, *, http: bool) -> ByFirst[Grant]:
        if (port, http) not in self._indexes:
            self._indexes[port, http] = ByFirst((_paths(grant), grant) for grant in self.grants(port, http=http))
        return self._indexes[port, http]

    def admit_by(self, grant: Grant, requests: Requests, identity: str, port: int, *, http: bool = True) -> Iterator[Admitted]:
        """Yield what one grant lets through of the requests of a peer that it admits.

        Raises:
            UnknownValueError: where a policy cannot be read.
        """
        for admitted in self._within(grant, requests):
            yield from self._after_deny(admitted, identity, port, http=http)

    def _within(self, grant: Grant, requests: Requests) -> Iterator[Admitted]:
        """Yield the requests for which a grant's conditions hold, whoever sends them."""
        tokens = grant.get("request.auth.principal")
        issuers = self._issuers(tokens.values) if tokens and tokens.values else set[str]()
        if tokens and tokens.values and not issuers:
            return
        if len(issuers) > 1:
            yield from (found for issuer in sorted(issuers) for found in self._for_issuer(grant, requests, issuer))
            return
        found, doubts = [requests], ["notRequestPrincipals"] if tokens and tokens.others else list[str]()
        for condition in grant.conditions:
            if condition.key in PEER_KEYS or condition.key in {"destination.port", "request.auth.principal"}:
                continue
            if condition.key.startswith("request.auth.") and not self.issuers:
                return  # it asks for a token, and nobody's are verified here
            narrow = _NARROWINGS.get(condition.key.partition("[")[0])
            if narrow:
                found = list(narrow(condition, found))
            elif not condition.key.startswith("request.auth."):
                doubts.append(condition.key)
        for each in found:
            yield Admitted(requests=each, demands=frozenset(issuers), policy=grant.policy, doubt=", ".join(doubts))

    def _for_issuer(self, grant: Grant, requests: Requests, issuer: str) -> Iterator[Admitted]:
        conditions = tuple(
            Condition(key=c.key, values=(f"{issuer}/*",), others=c.others) if c.key == "request.auth.principal" else c
            for c in grant.conditions
        )
        yield from self._within(Grant(policy=grant.policy, conditions=conditions), requests)

    def _issuers(self, values: Iterable[str]) -> set[str]:
        """Return the verified issuers that request principals (`issuer/subject`, with `*` at either end) may name."""
        result: set[str] = set()
        for value in values:
            if value.endswith("/*") and value[:-2] in self.issuers:
                result.add(value[:-2])
            elif "*" not in value:
                result |= {value.rpartition("/")[0]} & set(self.issuers)
            elif value.endswith("*"):
                result |= {issuer for issuer in self.issuers if issuer.startswith(value[:-1]) or value[:-1].startswith(f"{issuer}/")}
            else:
                result |= set(self.issuers)
        return result

    def _after_deny(self, admitted: Admitted, identity: str, port: int, *, http: bool) -> Iterator[Admitted]:
        left = admitted.requests
        doubts = [admitted.doubt] if admitted.doubt else []
        for grant in self.deny:
            if not grant.admits_peer(identity):
                continue
            denied = _denied(grant, left, port, http=http)
            if isinstance(denied, str):
                doubts.append(f"{grant.policy} denies {denied}")
            elif (rest := left.minus(denied)) is None:
                return
            else:
                left = rest
        doubts += [f"{policy} asks an external authorizer" for policy in self.custom]
        yield Admitted(requests=left, demands=admitted.demands, policy=admitted.policy, doubt="; ".join(doubts))


def _asking(grants: Iterable[Grant], sni: str) -> Iterator[Grant]:
    """Yield the grants that can hold on connections which ask for a name, without their conditions on it."""
    for grant in grants:
        if all(text_holds(condition, sni) for condition in grant.conditions if condition.key == SNI):
            others = tuple(condition for condition in grant.conditions if condition.key != SNI)
            yield grant if len(others) == len(grant.conditions) else Grant(policy=grant.policy, conditions=others)


def _narrow_method(condition: Condition, found: list[Requests]) -> Iterator[Requests]:
    for one in found:
        yield from (each for each in one.by(condition.values or None) if each.method not in condition.others)


def _narrow_path(condition: Condition, found: list[Requests]) -> Iterator[Requests]:
    wanted, others = [parse(value) for value in condition.values] or None, [parse(value) for value in condition.others]
    for one in found:
        yield from (rest for each in one.at(wanted) if (rest := each.minus(others)) is not None)


def _narrow_host(condition: Condition, found: list[Requests]) -> Iterator[Requests]:
    for one in found:
        yield from (each for each in one.to(condition.values or ("*",)) if each.host not in condition.others)


def _narrow_header(condition: Condition, found: list[Requests]) -> Iterator[Requests]:
    """Yield requests with the header. The sender chooses headers, so anything but exact values may always be met."""
    name = condition.key.partition("[")[2].rstrip("]")
    exact = [value for value in condition.values if "*" not in value]
    if not exact or len(exact) != len(condition.values):
        yield from found
        return
    for one in found:
        yield from (having for value in exact if (having := one.having([(name, value)])) is not None)


_NARROWINGS: Final[Mapping[str, Callable[[Condition, list[Requests]], Iterator[Requests]]]] = {
    "method": _narrow_method,
    "path": _narrow_path,
    "host": _narrow_host,
    "request.headers": _narrow_header,
}
"""How a condition on an attribute of the request narrows what is let through."""


def _denied(grant: Grant, requests: Requests, port: int, *, http: bool) -> tuple[Pattern, ...] | str:
    """Return the paths that a DENY rule takes away, or, where it takes a part that cannot be written as paths, which.

    On TCP a DENY rule ignores what only HTTP has, and so denies more (authorization-policy reference).
    """
    conditions = [c for c in grant.conditions if c.key not in PEER_KEYS and (http or c.key not in HTTP_KEYS)]
    misses = {"destination.port": _misses_port, "method": _misses_method, "path": _misses_path, "host": _misses_host}
    partly = ""
    for condition in conditions:
        missed = misses[condition.key](condition, requests, port) if condition.key in misses else f"by {condition.key}"
        if missed is True:
            return ()
        partly = partly or (missed or "")
    if partly:
        return partly
    paths = next((c for c in conditions if c.key == "path"), None)
    return tuple(map(parse, paths.values)) if paths else (EVERY,)


Missed = bool | str
"""Whether a DENY rule's condition holds for none of some requests (True), for all (False), or for which part of them."""


def _misses_port(condition: Condition, _: Requests, port: int) -> Missed:
    return not text_holds(condition, str(port))


def _misses_method(condition: Condition, requests: Requests, _: int) -> Missed:
    if requests.method == ANY_METHOD:
        return f"some methods ({', '.join(condition.values) or 'all but ' + ', '.join(condition.others)})"
    return (bool(condition.values) and requests.method not in condition.values) or requests.method in condition.others


def _misses_path(condition: Condition, requests: Requests, _: int) -> Missed:
    if any(requests.path.within(parse(other)) for other in condition.others):
        return True
    return "some paths" if condition.others else False


def _misses_host(condition: Condition, requests: Requests, _: int) -> Missed:
    if condition.others:
        return "some hosts"
    hosts = [each.host for each in requests.to(condition.values)]
    return not hosts or ("some hosts" if requests.host not in hosts else False)


def _paths(grant: Grant) -> tuple[Pattern, ...] | None:
    """Return the paths that a grant may be about, None for every path."""
    condition = grant.get("path")
    return tuple(map(parse, condition.values)) if condition and condition.values else None


def speaks_http(services: Iterable[Service], pod: Pod, port: int) -> bool:
    """Say whether a proxy can tell methods and paths on a container port: some Service in front says, or lets it guess, HTTP.

    A port in front of which no Service stands is guessed too.
    """
    protocols = [
        service_port.protocol
        for service in services
        for service_port in service.ports
        if service_port.transport == "TCP" and pod.port_number(service_port.target) == port
    ]
    return not protocols or any(protocol in HTTP_PROTOCOLS or not protocol for protocol in protocols)
