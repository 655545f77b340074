"""M19: the mesh checks the token again, and asks for one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at, attempt
from policies.layers import Layer, layers_of
from policies.reading.durations import length
from policies.reading.grants import Grant
from policies.reading.meshes import Mesh
from policies.reading.patterns import Pattern, parse
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from topology.model.base import seconds
from topology.model.door import Door, Issuer, JwtAuth

REQUEST_PRINCIPAL: Final = "request.auth.principal"
HTTPS: Final = "https://"
REFRESH: Final = "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL"
"""Variable of istiod (pilot/pkg/features): how long it uses the keys of an issuer before it asks for them again."""


class M19(Rule):
    """The mesh ingress verifies every token against its issuer, and doors that ask for a token are closed without one.

    Forbids:
        A mesh ingress without a RequestAuthentication for the issuers of its doors; rules without audiences, with other
        audiences, issuers or key sets than the topology's, or with a key set that is not https; tokens taken from the query or a
        cookie, or passed on to services; keys that istiod uses for longer than the topology says (`keyCache`); other claims than the subject and the tier written into headers; AuthorizationPolicies on the ingress that allow a door's requests without a token of
        the door's issuer (`requestPrincipals`) and the claims that it must bear.

    Why:
        A RequestAuthentication alone refuses wrong tokens and lets requests without any token through: Istio's own test expects
        200 (istio/istio#24371). Only an AuthorizationPolicy with requestPrincipals makes the token necessary. Without
        audiences a token that another application was given opens this one's doors. A `jwksUri` is fetched by istiod: an
        address of the attacker's choice reads what istiod reaches (GHSA-fgw5-hp8f-xfhc).

    Instead:
        Both, for the same pods::

            kind: RequestAuthentication
            spec:
              selector: {matchLabels: {istio: ingress}}
              jwtRules:
                - issuer: https://login.shop.example
                  audiences: [shop-api]
                  jwksUri: https://login.shop.example/.well-known/jwks.json
                  fromHeaders: [{name: authorization, prefix: "Bearer "}]
            ---
            kind: AuthorizationPolicy
            spec:
              rules:
                - from: [{source: {requestPrincipals: ["https://login.shop.example/*"]}}]
    """

    id = "M19"
    name = "tokens-are-verified-and-required"
    severity = Severity.CRITICAL
    frameworks = ("API2", "istio/istio#24371", "GHSA-fgw5-hp8f-xfhc", "CVE-2026-31837")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every RequestAuthentication, then every mesh whose doors ask for a token."""
        yield from self.over(stack.of("RequestAuthentication"), lambda resource: self._request_authentication(resource, stack))
        for mesh in stack.meshes:
            yield from attempt(self, mesh.release, self._refresh(mesh, stack))
        ingress = layers_of(stack).of(Layer.INGRESS)
        t = stack.intent
        for name, mesh in t.meshes.items():
            doors = [door for door in t.doors.values() if t.mesh_of(door.service) == name]
            issuers = {t.issuers[door.auth.jwt].issuer for door in doors if isinstance(door.auth, JwtAuth)}
            pods = [pod for pod in ingress if (member := stack.member(pod)) and member[0].trust_domain == mesh.trust_domain]
            if issuers and not pods:
                yield self.undecided(
                    None, f"no gateway of mesh {name} answers to its doors, so nothing says that tokens are verified there"
                )
            for pod in pods:
                yield from attempt(self, pod.resource, self._ingress(pod, issuers, doors, stack))

    def _refresh(self, mesh: Mesh, stack: Stack) -> Iterator[Finding]:
        """Check that istiod asks for keys as often as the topology says: one that its issuer has taken back goes on opening doors."""
        said = at(mesh.values, "env", REFRESH) or at(mesh.values, "pilot", "env", REFRESH)
        shortest = min((seconds(issuer.key_cache) for issuer in stack.intent.issuers.values()), default=None)
        if said is None or shortest is None:
            return
        interval = length(str(said))
        if interval is None or interval > shortest:
            yield self.broken(
                mesh.release, f"{REFRESH} is {said}; the topology uses keys for {shortest:g} seconds", "give the shortest keyCache"
            )

    def _request_authentication(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        known = {issuer.issuer: issuer for issuer in stack.intent.issuers.values()}
        for index, rule in enumerate(resource.at("spec", "jwtRules", default=[])):
            where = f"jwtRules[{index}]"
            issuer = known.get(rule.get("issuer", ""))
            if issuer is None:
                yield self.broken(resource, f"{where} trusts {rule.get('issuer')}, which is no issuer of the topology", "remove it")
                continue
            audiences = set(rule.get("audiences") or ())
            if not audiences:
                yield self.broken(
                    resource, f"{where} has no audiences: a token that {issuer.issuer} gave to any application is taken", "list audiences"
                )
            elif audiences - set(issuer.audiences):
                others = ", ".join(sorted(audiences - set(issuer.audiences)))
                yield self.broken(
                    resource, f"{where} takes tokens for {others}, which is no audience of the topology", "list the topology's audiences"
                )
            yield from self._keys(resource, where, str(rule.get("jwksUri") or ""), bool(rule.get("jwks")), issuer)
            yield from self._headers(resource, where, rule, issuer)
            if rule.get("forwardOriginalToken"):
                yield self.broken(
                    resource, f"{where} passes the token on: every service behind could use it", "remove forwardOriginalToken"
                )
            if rule.get("fromParams") or rule.get("fromCookies"):
                yield self.broken(
                    resource, f"{where} takes tokens from the query or a cookie", "take them from the Authorization header only"
                )
            elif others := [each.get("name") for each in rule.get("fromHeaders") or () if str(each.get("name")).lower() != "authorization"]:
                yield self.broken(
                    resource,
                    f"{where} takes tokens from {', '.join(map(str, others))}: the gateway checked another one",
                    "take them from the Authorization header only",
                )
            elif not rule.get("fromHeaders"):
                yield self.broken(
                    resource, f"{where} takes tokens from the query (access_token) too, which is Istio's default", "set fromHeaders"
                )

    def _headers(self, resource: Resource, where: str, rule: Mapping[str, Any], issuer: Issuer) -> Iterator[Finding]:
        written: set[str] = set()
        for each in rule.get("outputClaimToHeaders") or ():
            claim = str(each.get("claim", ""))
            if claim not in {"sub", issuer.tier_claim} or claim in written:
                yield self.broken(
                    resource,
                    f"{where} writes the claim {claim} into {each.get('header')}: services would take a client's word for something else",
                    "write the subject and the tier's claim, each into one header",
                )
            written.add(claim)

    def _keys(self, resource: Resource, where: str, uri: str, inline: bool, issuer: Issuer) -> Iterator[Finding]:
        if inline:
            yield self.undecided(resource, f"{where} holds keys itself: whose they are is not known", "set jwksUri")
        elif not uri.startswith(HTTPS):
            yield self.broken(
                resource, f"{where} fetches keys from {uri or 'wherever the issuer says'}, not by https", f"set jwksUri: {issuer.jwks_uri}"
            )
        elif uri != issuer.jwks_uri:
            yield self.broken(
                resource, f"{where} fetches keys from {uri}, which is not the issuer's key set", f"set jwksUri: {issuer.jwks_uri}"
            )

    def _ingress(self, pod: Pod, issuers: set[str], doors: list[Door], stack: Stack) -> Iterator[Finding]:
        guard = stack.guard(pod)
        if guard is None:
            return
        for issuer in sorted(issuers - set(guard.issuers)):
            yield self.broken(
                pod.resource,
                f"no RequestAuthentication for {pod} verifies tokens of {issuer}, which a door asks for",
                "add a RequestAuthentication",
            )
        if guard.allow is None:
            yield self.broken(pod.resource, f"no AuthorizationPolicy holds for {pod}: tokens are optional", "add an AuthorizationPolicy")
        for grant in guard.allow or ():
            yield from attempt(self, grant.policy, self._grant(grant, doors, stack))

    def _grant(self, grant: Grant, doors: list[Door], stack: Stack) -> Iterator[Finding]:
        t = stack.intent
        for host, method, path in _requests(grant):
            fitting = [
                door for door in doors if t.host_of(door) == host and method in door.methods and path in {parse(p) for p in door.paths}
            ]
            jwt = [t.issuers[door.auth.jwt] for door in fitting if isinstance(door.auth, JwtAuth)]
            if fitting and len(jwt) < len(fitting):
                continue  # some door for the same requests asks for no token
            asked = grant.get(REQUEST_PRINCIPAL)
            if asked is None or not asked.values:
                whose = f"the door asks for one of {jwt[0].issuer}" if jwt else "no door of the topology is open without one"
                yield self.broken(
                    grant.policy,
                    f"it allows {method} {host}{path} without a token, though {whose}",
                    "add requestPrincipals to every source of the rule",
                )
                return
            wanted = tuple(f"{issuer.issuer}/" for issuer in jwt)
            if wrong := [value for value in asked.values if jwt and not value.startswith(wanted)]:
                yield self.broken(
                    grant.policy,
                    f"it allows {method} {host}{path} with a token of {wrong[0]}, which is not the door's issuer",
                    f"name {wanted[0]}*",
                )
                return
            yield from self._claims(grant, f"{method} {host}{path}", jwt)

    def _claims(self, grant: Grant, request: str, issuers: list[Issuer]) -> Iterator[Finding]:
        for issuer in issuers:
            for claim, values in issuer.required_claims.items():
                condition = grant.get(f"request.auth.claims[{claim}]")
                if condition is None or not condition.values or (values and not set(condition.values) <= set(values)):
                    yield self.broken(
                        grant.policy,
                        f"it allows {request} with a token that does not say {claim}",
                        f"add a condition on request.auth.claims[{claim}]",
                    )


def _requests(grant: Grant) -> Iterator[tuple[str, str, Pattern]]:
    """Yield host, method and paths of the requests that a grant allows; `*` where it does not say."""
    hosts, methods, paths = (grant.get(key) for key in ("host", "method", "path"))
    names = dict.fromkeys(host.removesuffix(":*") for host in (hosts.values if hosts else ()))
    for host in names or ("*",):
        for method in methods.values if methods and methods.values else ("*",):
            for path in paths.values if paths and paths.values else ("*",):
                yield host, method, parse(path)
