"""The identity level: what the proxy in a pod accepts, from whom, by PeerAuthentication, AuthorizationPolicy and RequestAuthentication.

Follows istio 1.31: pilot/pkg/security/authz (model, builder), pilot/pkg/security/trustdomain, pilot/pkg/security/authn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from policies.reading.meshes import Mesh, Proxy
from policies.reading.patterns import EVERY, ByFirst, Pattern, parse
from policies.reading.pods import Pod
from policies.reading.requests import ANY_METHOD, Requests
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.services import HTTP_PROTOCOLS, Service
from policies.reading.surroundings import Surroundings
from policies.reading.values import UnknownValueError, mapping, sequence

PLAIN: Final = ""
"""The identity of a peer that shows none."""

DRY_RUN: Final = "istio.io/dry-run"


class Mtls(Enum):
    """What a port accepts."""

    STRICT = "STRICT"
    PERMISSIVE = "PERMISSIVE"
    DISABLE = "DISABLE"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One attribute of a rule: it holds where some value matches and no other value does."""

    key: str
    values: tuple[str, ...]
    others: tuple[str, ...] = ()
    """notValues."""


SOURCE_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "source.principal": ("principals", "notPrincipals"),
    "request.auth.principal": ("requestPrincipals", "notRequestPrincipals"),
    "source.serviceAccount": ("serviceAccounts", "notServiceAccounts"),
    "source.trustDomain": ("trustDomains", "notTrustDomains"),
    "source.namespace": ("namespaces", "notNamespaces"),
    "remote.ip": ("remoteIpBlocks", "notRemoteIpBlocks"),
    "source.ip": ("ipBlocks", "notIpBlocks"),
}
"""Attributes of the sender, and how `from.source` spells each, positively and negatively."""

TARGET_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "host": ("hosts", "notHosts"),
    "method": ("methods", "notMethods"),
    "path": ("paths", "notPaths"),
    "destination.port": ("ports", "notPorts"),
}
"""Attributes of the request, and how `to.operation` spells each."""

PEER_KEYS: Final = frozenset({"source.principal", "source.serviceAccount", "source.trustDomain", "source.namespace"})
"""Attributes that follow from the peer's certificate."""

HTTP_KEYS: Final = frozenset({"host", "method", "path", "request.auth.principal"})
"""Attributes that exist in HTTP only, next to everything that begins with `request.`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grant:
    """One `from` and one `to` of a rule, with its conditions: all of them must hold."""

    policy: Resource
    conditions: tuple[Condition, ...]

    def get(self, key: str) -> Condition | None:
        """Return the first condition on an attribute."""
        return next((condition for condition in self.conditions if condition.key == key), None)

    @property
    def http_only(self) -> bool:
        """Say whether the rule asks for something that plain TCP does not have."""
        return any(condition.key in HTTP_KEYS or condition.key.startswith("request.") for condition in self.conditions)

    @property
    def on_peer(self) -> tuple[Condition, ...]:
        """Return the conditions on the peer's certificate."""
        return tuple(condition for condition in self.conditions if condition.key in PEER_KEYS)

    def exact_principals(self) -> tuple[str, ...] | None:
        """Return the principals where all are named in full, None where the rule admits more than a list of names."""
        named = [
            condition.values
            for condition in self.conditions
            if condition.key == "source.principal" and condition.values and not any("*" in value for value in condition.values)
        ]
        return named[0] if named else None

    def admits_peer(self, identity: str) -> bool:
        """Say whether the rule's conditions on the peer's certificate hold for an identity (empty: a peer without one)."""
        return all(_peer_holds(condition, identity) for condition in self.on_peer)


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

    def mtls_on(self, port: int) -> Mtls:
        """Return what a container port accepts."""
        return self.port_mtls.get(port, self.mtls)

    def grants(self, port: int, *, http: bool) -> Iterator[Grant]:
        """Yield the grants that can hold on a port."""
        for grant in sequence(self.allow):
            ports = [condition for condition in grant.conditions if condition.key == "destination.port"]
            if all(_text_holds(condition, str(port)) for condition in ports) and (http or not grant.http_only):
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
    return not _text_holds(condition, str(port))


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


def _text_holds(condition: Condition, value: str) -> bool:
    if condition.values and not any(text_matches(wanted, value) for wanted in condition.values):
        return False
    return not any(text_matches(other, value) for other in condition.others)


def text_matches(wanted: str, value: str) -> bool:
    """Say whether a value fits as Istio compares text: in full, `prefix*`, `*suffix`, or `*` for anything that is not empty."""
    if wanted == "*":
        return bool(value)
    if wanted.endswith("*"):
        return value.startswith(wanted[:-1])
    if wanted.startswith("*"):
        return value.endswith(wanted[1:])
    return value == wanted


def _peer_holds(condition: Condition, identity: str) -> bool:
    trust_domain, _, rest = identity.partition("/ns/")
    namespace, _, account = rest.partition("/sa/")
    match condition.key:
        case "source.principal":
            return _text_holds(condition, identity)
        case "source.namespace":
            return _text_holds(condition, namespace)
        case "source.trustDomain":
            return _text_holds(condition, trust_domain)
        case _:
            return _text_holds(condition, f"{namespace}/{account}" if identity else "")


class Authorization:
    """All policies of the identity level, found by the pods they hold for."""

    KINDS: Final = {
        "AuthorizationPolicy": "security.istio.io",
        "PeerAuthentication": "security.istio.io",
        "RequestAuthentication": "security.istio.io",
    }

    def __init__(self, resources: Iterable[Resource], around: Surroundings) -> None:
        """Find for each policy the pods it selects. A policy that cannot be read is noted."""
        self._around = around
        self._local: defaultdict[tuple[str, Pod], list[Resource]] = defaultdict(list)
        self._wide: defaultdict[tuple[str, Mesh], list[Resource]] = defaultdict(list)
        self._guards: dict[Pod, Guard | None] = {}
        for resource in resources:
            if self.KINDS.get(resource.kind) == resource.group:
                around.reading(resource, self._place)

    def guard(self, pod: Pod) -> Guard | None:
        """Return what guards a pod; None for a pod outside every mesh, which accepts whatever reaches it."""
        if pod not in self._guards:
            self._guards[pod] = self._build(pod)
        return self._guards[pod]

    def _place(self, policy: Resource) -> None:
        if policy.at("spec", "targetRef") or policy.at("spec", "targetRefs"):
            return  # holds for Gateway API gateways and waypoints, never for a sidecar or a gateway of the chart
        selector = policy.at("spec", "selector", default={})
        namespace = self._around.namespace(policy.namespace)
        readers = [mesh for mesh in self._around.meshes if mesh.reads(policy) and mesh.discovers(namespace)]
        for mesh in readers:
            if policy.namespace == mesh.root_namespace and not selector:
                self._wide[policy.kind, mesh].append(policy)
            elif policy.namespace == mesh.root_namespace:
                for pod in self._around.pods:
                    self._hold(policy, mesh, (pod,) if matches(selector, pod.labels) else ())
            else:
                self._hold(policy, mesh, self._around.pods.selected(policy.namespace, selector))

    def _hold(self, policy: Resource, mesh: Mesh, pods: Iterable[Pod]) -> None:
        for pod in pods:
            member = self._around.member(pod)
            if member and member[0] is mesh:
                self._local[policy.kind, pod].append(policy)

    def _build(self, pod: Pod) -> Guard | None:
        member = self._around.member(pod)
        if member is None:
            return None
        mesh, proxy = member
        guard = Guard(pod=pod, mesh=mesh, proxy=proxy)

        def policies(kind: str) -> Iterator[Resource]:
            yield from self._wide.get((kind, mesh), ())
            yield from self._local.get((kind, pod), ())

        for policy in policies("AuthorizationPolicy"):
            self._around.reading(policy, lambda policy: _authorize(guard, policy))
        for policy in policies("RequestAuthentication"):
            self._around.reading(policy, lambda policy: _authenticate_requests(guard, policy))
        self._authenticate_peers(guard, list(policies("PeerAuthentication")))
        return guard

    def _authenticate_peers(self, guard: Guard, policies: list[Resource]) -> None:
        root = guard.mesh.root_namespace

        def rank(policy: Resource) -> int:
            return 2 if policy.at("spec", "selector") else 0 if policy.namespace == root else 1

        for level in (0, 1, 2):
            modes: list[tuple[Mtls, Resource]] = []
            for policy in policies:
                self._around.reading(policy, lambda policy: modes.extend(_modes(policy, level, rank, guard)))  # noqa: B023 # called at once
            if modes:
                # Istio takes the oldest of several; age is not in a plan, so the weakest counts.
                guard.mtls, guard.strict_by = min(modes, key=lambda mode: _STRENGTH[mode[0]])


_STRENGTH: Final = {Mtls.DISABLE: 0, Mtls.PERMISSIVE: 1, Mtls.STRICT: 2}


def _modes(policy: Resource, level: int, rank: Callable[[Resource], int], guard: Guard) -> Iterator[tuple[Mtls, Resource]]:
    if rank(policy) != level:
        return
    mode: str = policy.at("spec", "mtls", "mode", default="UNSET")
    if mode != "UNSET":
        yield Mtls(mode), policy
    if level == 2:
        ports: Mapping[str, Any] = policy.at("spec", "portLevelMtls", default={})
        for port, own in ports.items():
            if own.get("mode", "UNSET") != "UNSET":
                guard.port_mtls[int(port)] = Mtls(own["mode"])


def _authenticate_requests(guard: Guard, policy: Resource) -> None:
    rules: list[Mapping[str, Any]] = policy.at("spec", "jwtRules", default=[])
    for rule in rules:
        guard.issuers.setdefault(rule["issuer"], policy)


def _authorize(guard: Guard, policy: Resource) -> None:
    if str(policy.annotations.get(DRY_RUN, "false")).lower() in {"1", "t", "true"}:
        return
    action = policy.at("spec", "action", default="ALLOW")
    match action:
        case "ALLOW":
            grants = list(grants_of(policy, guard.mesh))
            guard.allow = [*(guard.allow or ()), *grants]
            guard.allowing.append(policy)
        case "DENY":
            guard.deny += grants_of(policy, guard.mesh)
        case "CUSTOM":
            guard.custom.append(policy)
        case "AUDIT":
            pass
        case _:
            raise UnknownValueError("spec.action", f"an action that does not exist: {action}")


def grants_of(policy: Resource, mesh: Mesh) -> Iterator[Grant]:
    """Yield every combination of `from` and `to` of a policy's rules.

    Raises:
        UnknownValueError: if something in a rule is not known.
    """
    rules: list[Mapping[str, Any]] = policy.at("spec", "rules", default=[])
    for rule in rules:
        when = tuple(_when(condition, mesh, policy) for condition in sequence(rule.get("when")))
        for source in map(mapping, sequence(rule.get("from")) or [{}]):
            sender = tuple(_conditions(mapping(source.get("source")), SOURCE_KEYS, mesh, policy))
            for target in map(mapping, sequence(rule.get("to")) or [{}]):
                wanted = tuple(_conditions(mapping(target.get("operation")), TARGET_KEYS, mesh, policy))
                yield Grant(policy=policy, conditions=(*sender, *wanted, *when))


def _conditions(given: Mapping[str, Any], keys: Mapping[str, tuple[str, str]], mesh: Mesh, policy: Resource) -> Iterator[Condition]:
    known = {name for names in keys.values() for name in names}
    if strange := set(given) - known:
        raise UnknownValueError(f"{policy}: {', '.join(sorted(strange))}", "a field that is not known")
    for key, (positive, negative) in keys.items():
        values, others = _texts(given.get(positive)), _texts(given.get(negative))
        if values or others:
            yield _condition(key, values, others, mesh, policy)


def _when(given: Mapping[str, Any], mesh: Mesh, policy: Resource) -> Condition:
    return _condition(given["key"], _texts(given.get("values")), _texts(given.get("notValues")), mesh, policy)


def _texts(values: Any) -> tuple[str, ...]:
    result = tuple(sequence(values))
    for value in result:
        if not isinstance(value, str):
            raise UnknownValueError(str(value), "not a text")
    return result


def _condition(key: str, values: tuple[str, ...], others: tuple[str, ...], mesh: Mesh, policy: Resource) -> Condition:
    match key:
        case "source.principal":
            values, others = _principals(values, mesh), _principals(others, mesh)
        case "source.serviceAccount":
            # Without a namespace the policy's own is meant.
            values, others = (tuple(v if "/" in v else f"{policy.namespace}/{v}" for v in side) for side in (values, others))
        case "source.trustDomain":
            values, others = (tuple(dict.fromkeys(a for v in side for a in _aliases(v, mesh))) for side in (values, others))
        case _:
            pass
    return Condition(key=key, values=values, others=others)


def _principals(values: tuple[str, ...], mesh: Mesh) -> tuple[str, ...]:
    """Return principals with `cluster.local` and aliases of the trust domain written out, as Istio does."""
    result: dict[str, None] = {}
    for value in values:
        trust_domain, slash, rest = value.partition("/ns/")
        for each in _aliases(trust_domain, mesh) if slash else (trust_domain,):
            result[f"{each}{slash}{rest}"] = None
    return tuple(result)


def _aliases(trust_domain: str, mesh: Mesh) -> tuple[str, ...]:
    local = (mesh.trust_domain, *mesh.trust_domain_aliases)
    return local if trust_domain in {"cluster.local", *local} else (trust_domain,)


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
