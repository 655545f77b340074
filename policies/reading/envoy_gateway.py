"""Envoy Gateway's own policies: which one holds for a rule, and what it asks of a request.

The most specific policy replaces the wider ones: a rule's (by name), its route's, its listener's, its Gateway's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.controllers import GATEWAY_API
from policies.reading.gateways import Listener, Rule
from policies.reading.patterns import Pattern, exact, regex, segment_prefix
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

POLICY_KINDS: Final = ("SecurityPolicy", "BackendTrafficPolicy", "ClientTrafficPolicy")

TARGET_KINDS: Final = frozenset({"Gateway", "HTTPRoute", "GRPCRoute"})
"""Kinds of target that are followed; a policy on anything else (a ListenerSet, a kind of another group) may hold anywhere."""

ANY_TOKEN: Final = "jwt *"  # noqa: S105 # no password but the word for any token
"""The demand for a token whose issuer the layer does not check."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Requests that a gateway passes on, and what a client must show for them."""

    requests: Requests
    demands: frozenset[str]
    policies: tuple[str, ...] = ()
    """What demands it."""
    doubt: str = ""


class EnvoyPolicies:
    """The policies of a stack by what they are attached to."""

    def __init__(self, policies: Iterable[Resource]) -> None:
        """Index policies by kind of policy and target."""
        self._by_target: defaultdict[tuple[str, str, str, str, str], list[Resource]] = defaultdict(list)
        self.unattached: list[Resource] = []
        for policy in policies:
            refs = [*policy.at("spec", "targetRefs", default=[]), *(ref for ref in (policy.at("spec", "targetRef"),) if ref)]
            if policy.at("spec", "targetSelectors") or not refs or not all(map(_is_followed, refs)):
                self.unattached.append(policy)
            for ref in refs:
                key = (policy.kind, ref["kind"], policy.namespace, ref["name"], ref.get("sectionName") or "")
                self._by_target[key].append(policy)

    def of_rule(self, kind: str, rule: Rule, listener: Listener, gateway: Resource) -> Resource | None:
        """Return the policy of a kind that holds for a rule.

        Raises:
            UnknownValueError: where two policies claim the same target, or one merges itself into another.
        """
        route = rule.route
        places = (
            (route.kind, route.namespace, route.name, rule.name),
            (route.kind, route.namespace, route.name, ""),
            ("Gateway", gateway.namespace, gateway.name, listener.name),
            ("Gateway", gateway.namespace, gateway.name, ""),
        )
        return self._first(kind, places)

    def of_gateway(self, kind: str, gateway: Resource) -> Resource | None:
        """Return the policy of a kind that holds for everything on a Gateway that has none of its own."""
        return self._first(kind, (("Gateway", gateway.namespace, gateway.name, ""),))

    def of_listener(self, kind: str, listener: Listener, gateway: Resource) -> Resource | None:
        """Return the policy of a kind that holds for a listener."""
        return self._first(
            kind, (("Gateway", gateway.namespace, gateway.name, listener.name), ("Gateway", gateway.namespace, gateway.name, ""))
        )

    def _first(self, kind: str, places: Iterable[tuple[str, str, str, str]]) -> Resource | None:
        if unattached := [policy for policy in self.unattached if policy.kind == kind]:
            raise UnknownValueError(
                ", ".join(map(str, unattached)), "attached by labels (targetSelectors) or to a kind of target that is not followed"
            )
        for target, namespace, name, section in places:
            found = self._by_target.get((kind, target, namespace, name, section), [])
            if len(found) > 1:
                raise UnknownValueError(", ".join(map(str, found)), f"attached to the same {target}: which one holds depends on their age")
            if found:
                if found[0].at("spec", "mergeType"):
                    raise UnknownValueError(f"{found[0]}: spec.mergeType", "a merge with a wider policy, which is not read")
                return found[0]
        return None


def _is_followed(ref: Mapping[str, Any]) -> bool:
    return ref.get("kind") in TARGET_KINDS and ref.get("group", GATEWAY_API) == GATEWAY_API


def asked(policy: Resource | None, requests: Requests) -> Iterator[Asked]:
    """Yield what passes a SecurityPolicy, by what it demands; without a policy everything passes.

    Raises:
        UnknownValueError: if something in the policy is not known.
    """
    if policy is None:
        yield Asked(requests=requests, demands=frozenset())
        return
    spec = policy.spec
    base: set[str] = set()
    doubt = ""
    if spec.get("apiKeyAuth"):
        base.add("api-key")
    if spec.get("basicAuth"):
        base.add("basic")
    if spec.get("oidc"):
        base.add("oidc")
    if spec.get("extAuth"):
        doubt = f"{policy} asks an external authorizer"
    jwt: Mapping[str, Any] = mapping(spec.get("jwt"))
    issuers = {provider["name"]: f"jwt {provider.get('issuer') or '*'}" for provider in sequence(jwt.get("providers"))}
    choices = [frozenset({*base, issuer}) for issuer in issuers.values()] or [frozenset(base)]
    if jwt.get("optional") or jwt.get("failOpen"):
        choices.append(frozenset(base))
    for choice in choices:
        for left, provider in _authorized(spec.get("authorization"), requests):
            if provider and issuers.get(provider) not in choice:
                continue
            yield Asked(requests=left, demands=choice, policies=(str(policy),), doubt=doubt)


def _authorized(authorization: Mapping[str, Any] | None, requests: Requests) -> Iterator[tuple[Requests, str]]:
    """Yield what the ordered rules let pass, each with the JWT provider that the rule asks for."""
    if not authorization:
        yield requests, ""
        return
    left: Requests | None = requests
    for rule in sequence(authorization.get("rules")):
        operation = mapping(rule.get("operation"))
        patterns = _operation_path(operation.get("path"))
        methods = operation.get("methods")
        principal = mapping(rule.get("principal"))
        if left is None:
            return
        if rule["action"] == "Allow":
            provider = mapping(principal.get("jwt")).get("provider") or ""
            for by_method in left.by(methods):
                for at_path in by_method.at(patterns):
                    yield at_path, provider
        always = not principal and not rule.get("cel")
        if always and (methods is None or left.method in methods):
            left = left.minus(patterns or (Pattern((), ""),))
    if left is not None and authorization.get("defaultAction", "Deny") == "Allow":
        yield left, ""


def _operation_path(path: Mapping[str, Any] | None) -> tuple[Pattern, ...] | None:
    if not path:
        return None
    match path.get("type", "PathPrefix"):
        case "Exact":
            return (exact(path["value"]),)
        case "PathPrefix":
            return segment_prefix(path["value"])
        case _:
            return regex(path["value"], whole=True)


@dataclass(frozen=True, kw_only=True)
class ClientCheck:
    """What a listener asks of the TLS client before it."""

    required: bool
    secrets: tuple[tuple[str, str], ...]
    """Secrets (namespace, name) whose `ca.crt` verifies it."""
    identities: tuple[str, ...]
    """SPIFFE URIs without scheme, one of which it must bear; empty for any."""
    policy: str = ""


def client_check(policy: Resource | None) -> ClientCheck:
    """Return what a ClientTrafficPolicy asks of clients' certificates."""
    validation: Mapping[str, Any] = policy.at("spec", "tls", "clientValidation", default={}) if policy else {}
    if policy is None or not validation:
        return ClientCheck(required=False, secrets=(), identities=())
    mode = validation.get("mode") or ("Request" if validation.get("optional") else "RequireAndVerify")
    refs = sequence(validation.get("caCertificateRefs"))
    secrets = tuple((ref.get("namespace") or policy.namespace, ref["name"]) for ref in refs if ref.get("kind", "Secret") == "Secret")
    uris = sequence(mapping(validation.get("subjectAltNames")).get("uris"))
    identities = tuple(uri["value"].removeprefix("spiffe://") for uri in uris if uri.get("type", "Exact") == "Exact")
    return ClientCheck(required=mode in {"RequireAndVerify", "RequireAny"}, secrets=secrets, identities=identities, policy=str(policy))
