"""Rules of AuthorizationPolicies: what they ask of a peer and of a request.

Follows istio 1.31: pilot/pkg/security/authz/model, pilot/pkg/security/trustdomain.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.meshes import Mesh
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence


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

SNI: Final = "connection.sni"
"""The name that a connection over TLS asks for (https://istio.io/latest/docs/reference/config/security/conditions/)."""

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


def text_holds(condition: Condition, value: str) -> bool:
    """Say whether a condition holds for a text."""
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
            return text_holds(condition, identity)
        case "source.namespace":
            return text_holds(condition, namespace)
        case "source.trustDomain":
            return text_holds(condition, trust_domain)
        case _:
            return text_holds(condition, f"{namespace}/{account}" if identity else "")


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
