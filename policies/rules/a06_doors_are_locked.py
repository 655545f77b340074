"""A06: every published route asks for what its door says."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.checks import attempt
from policies.door_routes import answered
from policies.reading.controllers import Controller
from policies.reading.cors import told_apart
from policies.reading.gateways import ApiGateway, Listener
from policies.reading.jwt import envoy_weaknesses, istio_providers, kong_credential_weaknesses, kong_weaknesses, missing_claims
from policies.reading.key_holders import groups_of, of_plugins, of_policy, username
from policies.reading.patterns import parse
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError, is_known, sequence
from policies.route_rule import Published, RouteRule, opaque_routes
from policies.rule import Finding, Severity
from topology.edges import Direction
from topology.model.base import seconds
from topology.model.door import ApiKeyAuth, Door, JwtAuth

PUBLIC: Final = "public"
OTHER_PROOFS: Final = ("basicAuth", "oidc", "extAuth")
"""Ways of Envoy Gateway to ask who a client is that a topology cannot name."""

CREDENTIAL_LABEL: Final = "konghq.com/credential"

KONG_TTL: Final = 300
"""Seconds for which Kong keeps an answer where nothing is said."""


class A06(RouteRule):
    """Every published route asks for a whole token or an API key, unless the topology calls its door public.

    Forbids:
        - a route without authentication that is no public door of the topology; a TCP, TLS or UDP route, which cannot have any;
        - a JWT check without issuer, without audience, with keys from a plain address, with an issuer or audience that the topology
          does not know, one that is optional, one that accepts a token without `exp`, or one that takes tokens from the query;
        - Kong's jwt plugin without `exp` in `claims_to_verify`, with `anonymous`, with symmetric keys; an audience that no layer
          checks (Kong cannot, so the mesh ingress must);
        - an API-key check without keys, with an anonymous way around it, or that takes the key of somebody who is no consumer of
          the door's tiers;
        - a token check at a door that does not ask for the claims that the topology requires, or takes other values of them;
        - a Gateway of Envoy Gateway, or a listener of one, without a SecurityPolicy that denies everything by default;
        - keys of an issuer that are used for longer than the topology says (`keyCache`);
        - answers that Kong keeps (`proxy-cache`) for a door without a `cache`, for longer than its `ttl`, or without telling apart what its
          `vary` names; of a door for tokens also without telling the tokens apart, of one with `cors` the origins;
        - an operation of API Management of which one of these holds (`validate-jwt`, products, subscriptions), and answers that it
          keeps for whoever asks next (`cache-lookup`), otherwise than the door's `cache` says, or gives before it has asked for everything;
        - an API of API Management that keys of the door's tiers do not open, and a consumer of the topology without a key of it that works;
        - a developer portal of API Management that anybody reads without signing in (`portalsettings/signin`, in an ARM template), or
          a product of which whoever signs up there gives himself a key.

    Why:
        A token proves who somebody is only when signature, issuer, audience and expiry are all checked. Without the audience a
        token of another API opens this one; with `optional: true` no token opens it as well. A narrower policy replaces a wider
        one in Envoy Gateway: one for CORS on a single rule switches the token off for it.

    Instead:
        Name everything, per route::

            kind: SecurityPolicy
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}]
              jwt:
                providers:
                  - name: customers
                    issuer: https://login.abc.example
                    audiences: [abc-api]
                    remoteJWKS: {uri: https://login.abc.example/.well-known/jwks.json}
                    extractFrom: {headers: [{name: Authorization, valuePrefix: "Bearer "}]}
              authorization:      # Envoy accepts a token without `exp`
                defaultAction: Deny
                rules:
                  - action: Allow
                    cel: has(metadata.filter_metadata['envoy.filters.http.jwt_authn']['customers'].exp)

        A door for everybody says so in the topology (`public: <reason>`). A developer portal asks for a sign-in::

            type: azure-native:resources:Deployment
            inputs:
              resourceGroupName: <group>
              properties:
                mode: Incremental
                template:
                  resources:
                    - type: Microsoft.ApiManagement/service/portalsettings
                      apiVersion: "2024-05-01"
                      name: <service>/signin
                      properties: {enabled: true}
    """

    id = "A06"
    name = "doors-are-locked"
    severity = Severity.CRITICAL
    frameworks = ("OWASP API2:2023", "CKV_AWS_309", "CKV_AWS_59")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every rule of every route, then the routes on which nothing can be asked, then Kong's credentials."""
        yield from super().judge(stack)
        for route in opaque_routes(stack):
            yield self.broken(
                route,
                f"is a {route.kind}: it carries bytes, of which nobody can ask who sends them",
                "publish HTTP or gRPC by an HTTPRoute",
            )
        for gateway in stack.gateways:
            if gateway.controller is Controller.ENVOY_GATEWAY:
                yield from self.over([gateway.gateway], lambda _, gateway=gateway: self._closed(gateway, stack))
            if gateway.controller is Controller.KONG:
                for listener in gateway.listeners:
                    yield from attempt(self, gateway.gateway, self._kept(stack, gateway, listener))
        yield from self.over(stack.of("KongConsumer"), lambda consumer: self._credentials(consumer, stack))

    def _kept(self, stack: Stack, gateway: ApiGateway, listener: Listener) -> Iterator[Finding]:
        """Check for whom Kong keeps answers: its key has the route and the consumer in it, and what `vary_headers` names."""
        for each in answered(stack, gateway, listener):
            for published in each.by:
                if (plugin := published.plugin("proxy-cache")) is not None:
                    for wrong in _kept_otherwise(plugin.config, each.door):
                        yield self.broken(
                            plugin.resource,
                            f"for {published} of {published.route}: keeps answers of the door {each.name}{wrong}",
                            "keep answers as the `cache` of the door says, and no others",
                        )

    def _closed(self, gateway: ApiGateway, stack: Stack) -> Iterator[Finding]:
        """Check that a route without a policy of its own is closed, on every listener."""
        resource, policies = gateway.gateway, stack.envoy_policies
        places = {str(resource): policies.of_gateway("SecurityPolicy", resource)}
        places |= {
            f"{listener.name} of {resource}": policies.of_listener("SecurityPolicy", listener, resource) for listener in gateway.listeners
        }
        open_ = {policy: place for place, policy in reversed(places.items()) if not _denies(policy)}
        for policy, place in open_.items():
            yield self.broken(
                policy or resource,
                f"nothing denies by default on {place}: a route whose own policy is missing or not yet there is open",
                "add a SecurityPolicy on the Gateway with `authorization: {defaultAction: Deny}`",
            )

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check what one rule asks for."""
        if published.rule.backends and not published.answers_preflights_alone:
            yield from self._kong(published, stack) if published.is_kong else self._envoy(published)

    def _envoy(self, published: Published) -> Iterator[Finding]:
        policy = published.policy("SecurityPolicy")
        spec: Mapping[str, Any] = policy.spec if policy else {}
        if policy is not None and spec.get("jwt"):
            for weakness in envoy_weaknesses(spec, published.stack.intent):
                yield self.broken(
                    policy,
                    f"for {published} of {published.route}: {weakness}",
                    "check issuer, audience and signature, and let nothing be optional",
                )
        if (
            policy is not None
            and (keys := spec.get("apiKeyAuth")) is not None
            and not (keys.get("credentialRefs") and keys.get("extractFrom"))
        ):
            yield self.broken(policy, "asks for an API key and names no keys, or no place for one", "give credentialRefs and extractFrom")
        if policy is not None and spec.get("jwt"):
            for door in published.declared.values():
                for weakness in missing_claims(spec, door, published.stack.intent):
                    yield self.broken(policy, f"for {published} of {published.route}: {weakness}", "ask for the claims of the topology")
        if policy is not None and spec.get("apiKeyAuth"):
            yield from self._holders(published, policy, of_policy(policy, published.stack.find))
        if spec.get("jwt") or spec.get("apiKeyAuth"):
            return
        if policy is not None and (other := next((name for name in OTHER_PROOFS if spec.get(name)), None)):
            yield self.undecided(
                policy, f"asks for {other}, and whether that is what the door asks for cannot be told", "ask for a token or an API key"
            )
            return
        yield from self._unlocked(published, str(policy) if policy else "no SecurityPolicy holds for it")

    def _kong(self, published: Published, stack: Stack) -> Iterator[Finding]:
        jwt, key = published.plugin("jwt"), published.plugin("key-auth")
        if jwt is not None:
            for weakness in kong_weaknesses(jwt.config):
                yield self.broken(
                    jwt.resource, f"for {published} of {published.route}: {weakness}", "check signature, issuer and expiry of every token"
                )
            if not self._audience_is_checked(published, stack):
                yield self.broken(
                    published.route,
                    f"{published}: Kong cannot check a token's audience, and no RequestAuthentication of the mesh ingress behind it does",
                    "name the audiences in the RequestAuthentication of the mesh ingress",
                )
        if key is not None and key.config.get("anonymous"):
            yield self.broken(
                key.resource, f"for {published} of {published.route}: `anonymous` lets requests without a key in", "remove `anonymous`"
            )
        if key is not None:
            holders = of_plugins(published.plugins, stack.of("KongConsumer"), stack.find)
            yield from self._holders(published, key.resource, holders)
        if jwt is None and key is None:
            yield from self._unlocked(published, "no plugin jwt or key-auth holds for it")

    def _holders(self, published: Published, lock: Resource, holders: Iterable[str]) -> Iterator[Finding]:
        """Check that the keys that open a rule are those of consumers of its door's tiers."""
        tiers = {tier for door in published.declared.values() if isinstance(door.auth, ApiKeyAuth) for tier in door.auth.api_key}
        consumers = published.stack.intent.consumers
        for holder in sorted(set(holders)) if tiers else ():
            if holder not in consumers or consumers[holder].tier not in tiers:
                who = f"of the tier {consumers[holder].tier}" if holder in consumers else "no consumer of the topology"
                yield self.broken(
                    lock,
                    f"for {published} of {published.route}: the key of {holder} opens it, who is {who}; the door is for {', '.join(sorted(tiers))}",
                    "name the keys of the door's consumers alone",
                )

    def _unlocked(self, published: Published, why: str) -> Iterator[Finding]:
        """Report a rule that asks for nothing, unless all of it lies behind public doors."""
        doors = [edge for edge in published.stack.expected if edge.direction is Direction.NORTH_SOUTH and edge.credential == PUBLIC]
        open_: defaultdict[str, list[str]] = defaultdict(list)
        for match in published.rule.matches:
            for host in published.rule.hosts:
                public = [parse(edge.entry) for edge in doors if edge.host == host and match.method in {None, edge.method}]
                for pattern in match.patterns:
                    if not any(pattern.within(entry) for entry in public):
                        open_[f"{host}{pattern}"].append(match.method or "any method")
        if open_:
            asked = ", ".join(f"{','.join(methods)} {place}" for place, methods in open_.items())
            yield self.broken(
                published.route,
                f"{published}: nobody is asked who they are for {asked} ({why}), and the topology has no public door there",
                "ask for a token or an API key; a door for everybody says `public` in the topology",
            )

    def _audience_is_checked(self, published: Published, stack: Stack) -> bool:
        issuers = {demand.removeprefix("jwt ") for demand in stack.kong_plugins.issuers()}
        pods = [pod for backend in published.rule.backends if (service := published.service(backend)) for pod in service.pods]
        for pod in pods:
            checked = {
                provider.issuer
                for authentication in stack.of("RequestAuthentication.security.istio.io")
                if authentication.namespace == pod.namespace and matches(authentication.at("spec", "selector", default={}), pod.labels)
                for provider in istio_providers(authentication.spec)
                if provider.audiences
            }
            if not issuers <= checked:
                return False
        return bool(pods)

    def _groups(self, consumer: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that a consumer is in the group of its tier alone: by it, doors let in and services tell clients apart."""
        declared = stack.intent.consumers.get(username(consumer))
        if declared is None:
            return
        groups = groups_of(consumer, stack.find) or set[str]()
        if more := sorted(groups - {declared.tier}):
            yield self.broken(
                consumer, f"is in the group {', '.join(more)}; its tier is {declared.tier}", "leave it in the group of its tier"
            )

    def _credentials(self, consumer: Resource, stack: Stack) -> Iterator[Finding]:
        yield from self._groups(consumer, stack)
        for name in consumer.at("credentials", default=[]):
            secret = stack.find("Secret", consumer.namespace, name)
            if secret is None or secret.labels.get(CREDENTIAL_LABEL) != "jwt":
                continue
            data = secret.props.get("stringData")
            if not is_known(data, dict) or data is None:
                raise UnknownValueError(f"{secret}: stringData", "not known, so which issuer's tokens Kong accepts is not known either")
            for weakness in kong_credential_weaknesses(data, stack.intent):
                yield self.broken(secret, f"as credential of {consumer}: {weakness}", "give the public key of an issuer of the topology")


def _denies(policy: Resource | None) -> bool:
    authorization: Mapping[str, Any] = (policy.at("spec", "authorization", default={}) if policy else None) or {}
    return authorization.get("defaultAction") == "Deny" and not authorization.get("rules")


def _kept_otherwise(config: Mapping[str, Any], door: Door) -> Iterator[str]:
    """Yield how Kong keeps answers otherwise than a door asks for (Kong 3.9, `proxy-cache`: `cache_ttl` is 300 seconds where nothing is said)."""
    if door.cache is None:
        yield ", of which the topology says nothing of the kind"
        return
    if (kept := config.get("cache_ttl", KONG_TTL)) > max(1.0, seconds(door.cache.ttl)):
        yield f" for {kept} seconds; the topology says {door.cache.ttl}"
    told = {str(name).lower() for name in sequence(config.get("vary_headers"))}
    own = ("authorization",) if isinstance(door.auth, JwtAuth) else ()
    for header in sorted({*door.cache.vary, *own, *told_apart(door)} - told):
        yield f" without telling them apart by {header}"
