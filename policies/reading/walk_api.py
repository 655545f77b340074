"""Requests through an API gateway: listener, rule, credentials, changes, and the backend behind them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from policies.reading.controllers import GATEWAY_API, Controller
from policies.reading.envoy_gateway import Asked, ClientCheck, asked, client_check
from policies.reading.flow import PLAIN, Arrival, Flow, Peer, Sending
from policies.reading.gateways import ApiGateway, Backend, Listener, Match, Rule, is_granted
from policies.reading.key_headers import asked_in
from policies.reading.kong import credential_headers
from policies.reading.kong_upstream import client_settings, secret_of, tls_settings
from policies.reading.patterns import exact, meet_hosts
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.edges import ANY_METHOD

if TYPE_CHECKING:
    from policies.reading.walk import Walk

ROLE: Final = "gateway"


@dataclass(frozen=True, kw_only=True)
class ApiPassage:
    """Requests at one proxy of an API gateway."""

    walk: "Walk"
    gateway: ApiGateway
    pod: Pod

    def enter(self, flow: Flow, arrival: Arrival) -> None:
        """Follow requests through the listeners on a port."""
        resource = self.gateway.gateway
        listeners = list(self.gateway.listening(arrival.port))
        if not listeners:
            self.walk.refuse(flow, str(self.gateway), f"no listener on port {arrival.port} of its proxies", resource)
        for listener in listeners:
            self.walk.reading(flow, resource, lambda listener=listener: self._listener(flow, listener, arrival.peer))

    def _listener(self, flow: Flow, listener: Listener, peer: Peer) -> None:
        place, resource = f"{self.gateway} listener {listener.name}", self.gateway.gateway
        tls = listener.protocol in {"HTTPS", "TLS"}
        if mapping(listener.spec.get("tls")).get("mode") == "Passthrough" or listener.protocol not in {"HTTP", "HTTPS"}:
            raise UnknownValueError(place, "a listener that does not look at requests")
        if tls != peer.tls:
            self.walk.refuse(flow, place, f"it {'asks for' if tls else 'does not speak'} TLS", resource)
            return
        if tls and listener.hostname != "*" and meet_hosts(peer.sni, listener.hostname) is None:
            self.walk.refuse(flow, place, f"SNI {peer.sni or '(none)'} is not {listener.hostname}", resource, elsewhere=True)
            return
        if not self._client_admitted(flow, listener, peer, place):
            return
        for requests in flow.requests.to([listener.hostname]):
            onward = replace(flow.with_requests(requests).hop(str(self.pod), place, resource), roles=(*flow.roles, ROLE))
            self._rules(onward, listener)

    def _client_admitted(self, flow: Flow, listener: Listener, peer: Peer, place: str) -> bool:
        walk, resource = self.walk, self.gateway.gateway
        check = self._check(listener)
        if not check.required:
            return True
        authorities = {found.authority for secret in check.secrets if (found := walk.stack.certificates.of(*secret))}
        if not authorities:
            walk.doubt(flow, resource, f"{check.policy}: which authority signs clients' certificates is not known")
        if not peer.authority or (authorities and peer.authority not in authorities):
            walk.refuse(flow, place, f"{check.policy} asks for a client certificate of {', '.join(sorted(authorities))}", resource)
            return False
        if check.identities and peer.identity not in check.identities:
            walk.refuse(flow, place, f"{check.policy} asks for a client certificate of {', '.join(check.identities)}", resource)
            return False
        return True

    def _check(self, listener: Listener) -> ClientCheck:
        stack = self.walk.stack
        if self.gateway.controller is Controller.ENVOY_GATEWAY:
            return client_check(stack.envoy_policies.of_listener("ClientTrafficPolicy", listener, self.gateway.gateway))
        if self.gateway.controller is not Controller.KONG:
            return ClientCheck(required=False, secrets=(), identities=())
        settings = client_settings(stack.releases)
        secret = secret_of(settings.get("client_certificate", ""))
        secrets = ((self.pod.namespace, secret),) if secret else ()
        return ClientCheck(required=settings.get("verify_client") == "on", secrets=secrets, identities=(), policy="Kong's values")

    def _rules(self, flow: Flow, listener: Listener) -> None:
        rest: list[Flow] = [flow]
        for match, rule in listener.by_precedence.about(flow.requests.path):
            left: list[Flow] = []
            for each in rest:
                for taken in _matched(each, match, rule):
                    at = _RulePassage(api=self, listener=listener, match=match, rule=rule)
                    self.walk.reading(taken, rule.route, lambda taken=taken, at=at: at.follow(taken))
                left += _left(each, match, rule)
            rest = left
        for each in rest:
            place = f"{self.gateway} listener {listener.name}"
            self.walk.refuse(each, place, f"no route for {each.requests}", self.gateway.gateway)


@dataclass(frozen=True, kw_only=True)
class _RulePassage:
    """Requests at one rule of a route."""

    api: ApiPassage
    listener: Listener
    match: Match
    rule: Rule

    def follow(self, flow: Flow) -> None:
        """Follow requests past the policies and filters of the rule, to its backends."""
        walk, rule = self.api.walk, self.rule
        if forged := flow.forged & self._credential_headers():
            raise UnknownValueError(f"{rule}: {', '.join(sorted(forged))}", "set by an earlier layer: the credential is not the client's")
        flow, passed = self._asked(flow)
        if not passed:
            walk.refuse(flow, str(rule), "its policies let nothing through", rule.route)
        for each in passed:
            if any(demand.startswith("jwt ") for demand in each.demands) and not flow.token:
                walk.refuse(flow, str(rule), "it asks for a token, which an earlier hop removed", rule.route)
                continue
            onward = flow.with_requests(each.requests).demanding(each.demands)
            by = ", ".join([str(rule), *each.policies])
            onward = replace(onward.hop(_shown(each), by, rule.route), doubt=each.doubt or onward.doubt)
            changed = self._filtered(onward, rule.filters)
            if changed is None:
                continue
            for backend in (*rule.backends, *_mirrors(rule)):
                walk.reading(changed, rule.route, lambda changed=changed, backend=backend: self._backend(changed, backend))

    def _credential_headers(self) -> frozenset[str]:
        """Return the headers in which the rule looks for a client's credential."""
        stack, rule, gateway = self.api.walk.stack, self.rule, self.api.gateway
        if gateway.controller is Controller.KONG:
            return credential_headers(stack.kong_plugins.of(rule, ()))
        policy = stack.envoy_policies.of_rule("SecurityPolicy", rule, self.listener, gateway.gateway)
        spec = mapping(policy.spec) if policy else mapping(None)
        providers = sequence(mapping(spec.get("jwt")).get("providers"))
        own = [mapping(provider.get("extractFrom")).get("headers") for provider in providers]
        named = [header["name"] for headers in own for header in sequence(headers)] or (["authorization"] if providers else [])
        return frozenset(str(name).lower() for name in named) | asked_in(mapping(spec.get("apiKeyAuth")))

    def _asked(self, flow: Flow) -> tuple[Flow, list[Asked]]:
        """Return the requests as plugins change them, and what the rule's policies ask for."""
        stack, rule, gateway = self.api.walk.stack, self.rule, self.api.gateway
        match gateway.controller:
            case Controller.KONG:
                services = [found.resource for backend in rule.backends if (found := stack.service(backend.namespace, backend.name))]
                plugins = list(stack.kong_plugins.of(rule, services))
                passed = list(stack.kong_plugins.asked(plugins, flow.requests))
                for plugin in plugins:
                    if plugin.name == "request-transformer":
                        flow = _transformed(flow, plugin.config, str(plugin.resource))
                return flow, passed
            case Controller.ENVOY_GATEWAY:
                policy = stack.envoy_policies.of_rule("SecurityPolicy", rule, self.listener, gateway.gateway)
                return flow, list(asked(policy, flow.requests))
            case _:
                raise UnknownValueError(str(gateway), "a gateway of a controller whose checks are not known")

    def _filtered(self, flow: Flow, filters: Iterable[Mapping[str, Any]]) -> Flow | None:
        """Return the flow as filters change it; None where one answers by itself."""
        for each in filters:
            changed = self._filter(flow, each)
            if changed is None:
                return None
            flow = changed
        return flow

    def _filter(self, flow: Flow, each: Mapping[str, Any]) -> Flow | None:
        rule = self.rule
        match each["type"]:
            case "RequestHeaderModifier":
                change = mapping(each.get("requestHeaderModifier"))
                removed = {str(name).lower() for name in sequence(change.get("remove"))}
                given = {str(header["name"]).lower() for key in ("set", "add") for header in sequence(change.get(key))}
                return replace(flow, token=flow.token and "authorization" not in removed, forged=flow.forged | given)
            case "URLRewrite":
                return _rewritten(flow, mapping(each.get("urlRewrite")), self.match)
            case "RequestRedirect":
                self.api.walk.refuse(flow, str(rule), "answered by a redirect", rule.route)
                return None
            case "ExtensionRef":
                return self._extended(flow, each["extensionRef"])
            case "ResponseHeaderModifier" | "RequestMirror" | "CORS":
                return flow
            case kind:
                raise UnknownValueError(f"{rule}: filter {kind}", "a filter that is not known")

    def _extended(self, flow: Flow, reference: Mapping[str, Any]) -> Flow | None:
        rule = self.rule
        found = self.api.walk.stack.find(reference["kind"], rule.route.namespace, reference["name"])
        if found is None or found.kind != "HTTPRouteFilter":
            name = f"{rule}: {reference['kind']} {reference['name']}"
            raise UnknownValueError(name, "a filter that is not among the resources of the program")
        if found.spec.get("directResponse"):
            self.api.walk.refuse(flow, str(rule), f"answered by {found}", found)
            return None
        if found.spec.get("credentialInjection"):
            raise UnknownValueError(f"{found}: credentialInjection", "a credential that the gateway shows in the client's place")
        rewrite = mapping(found.spec.get("urlRewrite"))
        if mapping(rewrite.get("path")).get("type") == "ReplaceRegexMatch" or mapping(rewrite.get("hostname")).get("type"):
            raise UnknownValueError(f"{found}: urlRewrite", "a rewrite that cannot be read")
        return flow

    def _backend(self, flow: Flow, backend: Backend) -> None:
        walk, rule = self.api.walk, self.rule
        if backend.kind != "Service":
            raise UnknownValueError(f"{rule}: backend {backend.kind} {backend.name}", "a backend that is no Service")
        name = f"Service {backend.namespace}/{backend.name}"
        if not is_granted(backend, rule.route, walk.stack.of(f"ReferenceGrant.{GATEWAY_API}")):
            walk.refuse(flow, str(rule), f"no ReferenceGrant lets it refer to {name}", rule.route)
            return
        service = walk.stack.service(backend.namespace, backend.name)
        if service is None:
            walk.refuse(flow, str(rule), f"{name} does not exist", rule.route)
            return
        changed = self._filtered(flow, backend.filters)
        if changed is None:
            return
        kong = self.api.gateway.controller is Controller.KONG
        upstream = self._kong_upstream(changed, service) if kong else self._envoy_upstream(changed, service, backend)
        port = backend.port or (service.ports[0].port if service.ports else 0)
        walk.to_service(upstream.flow, Sending(pods=(self.api.pod,), peer=upstream.peer), service, port)

    def _envoy_upstream(self, flow: Flow, service: Service, backend: Backend) -> "_Upstream":
        """Return how Envoy Gateway's proxy calls a Service: TLS where a BackendTLSPolicy says so, with the proxy's own certificate."""
        policy = next((each for each in self.api.walk.stack.of(f"BackendTLSPolicy.{GATEWAY_API}") if _covers(each, service, backend)), None)
        if policy is None:
            return _Upstream(flow=flow, peer=PLAIN)
        sni = policy.at("spec", "validation", "hostname", default="")
        parameters = self.api.gateway.parameters
        reference = mapping(parameters.at("spec", "backendTLS", "clientCertificateRef")) if parameters else None
        if parameters is None or not reference:
            return _Upstream(flow=flow, peer=Peer(tls=True, sni=sni))
        return _Upstream(flow=flow, peer=_shown_by(self.api.walk, flow, (parameters.namespace, reference["name"]), sni))

    def _kong_upstream(self, flow: Flow, service: Service) -> "_Upstream":
        """Return how Kong calls a Service, as the Service's annotations say."""
        annotations, route = service.resource.annotations, self.rule.route.annotations
        if route.get("konghq.com/strip-path") == "true":
            raise UnknownValueError(f"{self.rule.route}: konghq.com/strip-path", "a rewrite that is not followed")
        host = annotations.get("konghq.com/host-header") or ""
        if host and route.get("konghq.com/preserve-host") == "false":
            flow = flow.rehost(host)
        if annotations.get("konghq.com/protocol") not in {"https", "grpcs"}:
            return _Upstream(flow=flow, peer=PLAIN)
        # Kong takes the server name from the Service's host header where there is one, else from the request.
        sni = host or flow.requests.host
        if secret := annotations.get("konghq.com/client-cert"):
            return _Upstream(flow=flow, peer=_shown_by(self.api.walk, flow, (service.namespace, secret), sni))
        general = secret_of(tls_settings(self.api.walk.stack.releases, str(annotations["konghq.com/protocol"])).get("certificate", ""))
        if not general:
            return _Upstream(flow=flow, peer=Peer(tls=True, sni=sni))
        return _Upstream(flow=flow, peer=_shown_by(self.api.walk, flow, (self.api.pod.namespace, general), sni))


@dataclass(frozen=True, kw_only=True)
class _Upstream:
    flow: Flow
    peer: Peer


def _matched(flow: Flow, match: Match, rule: Rule) -> Iterator[Flow]:
    for by_host in flow.requests.to(rule.hosts):
        for by_method in by_host.by([match.method] if match.method else None):
            if (having := by_method.having(match.headers)) is not None:
                for requests in having.at(match.patterns):
                    yield flow.with_requests(requests)


def _left(flow: Flow, match: Match, rule: Rule) -> Iterator[Flow]:
    """Yield what a rule leaves to rules of lower precedence."""
    requests = flow.requests
    takes = (
        not match.conditional
        and (match.method is None or (requests.method not in {ANY_METHOD} and requests.method == match.method))
        and set(match.headers) <= set(requests.headers)
        and any(host == "*" or meet_hosts(host, requests.host) == requests.host for host in rule.hosts)
    )
    if not takes:
        yield flow
        return
    rest = requests.minus(match.patterns)
    if rest is not None:
        yield replace(flow, requests=rest)


def _shown(passed: Asked) -> str:
    return f"credential: {' and '.join(sorted(passed.demands)) or 'none'}"


def _transformed(flow: Flow, config: Mapping[str, Any], where: str) -> Flow:
    if mapping(config.get("replace")).get("uri"):
        raise UnknownValueError(f"{where}: replace.uri", "a rewrite that cannot be read")
    removed = {str(header).lower() for header in sequence(mapping(config.get("remove")).get("headers"))}
    given = {
        str(text).partition(":")[0].lower()
        for key in ("add", "replace", "append")
        for text in sequence(mapping(config.get(key)).get("headers"))
    }
    return replace(flow, token=flow.token and "authorization" not in removed, forged=flow.forged | given)


def _rewritten(flow: Flow, change: Mapping[str, Any], match: Match) -> Flow:
    flow = flow.rehost(change.get("hostname") or "")
    path = mapping(change.get("path"))
    match path.get("type"):
        case None:
            return flow
        case "ReplaceFullPath":
            return flow.rewritten_to(exact(path["replaceFullPath"]))
        case "ReplacePrefixMatch":
            old, new = match.matched.rstrip("/"), path.get("replacePrefixMatch", "").rstrip("/")
            return flow.rewritten(old, new) if str(flow.requests.path) != old else flow.rewritten_to(exact(new or "/"))
        case kind:
            raise UnknownValueError(f"urlRewrite.path.type {kind}", "a rewrite that is not known")


def _mirrors(rule: Rule) -> Iterator[Backend]:
    for each in rule.filters:
        if each["type"] == "RequestMirror":
            reference = each["requestMirror"]["backendRef"]
            yield Backend(
                namespace=reference.get("namespace") or rule.route.namespace,
                name=reference["name"],
                kind=reference.get("kind") or "Service",
                port=reference.get("port"),
                filters=(),
            )


def _covers(policy: Resource, service: Service, backend: Backend) -> bool:
    """Say whether a BackendTLSPolicy holds for a backend: of its Service, and of its port where the policy names one."""
    port = service.port(backend.port) if backend.port else None
    return policy.namespace == service.namespace and any(
        ref["kind"] == "Service" and ref["name"] == service.name and ref.get("sectionName") in {None, port.name if port else None}
        for ref in policy.at("spec", "targetRefs", default=[])
    )


def _shown_by(walk: "Walk", flow: Flow, secret: tuple[str, str], sni: str) -> Peer:
    certificate = walk.stack.certificates.of(*secret)
    if certificate is None:
        walk.doubt(flow, None, f"Secret {'/'.join(secret)}, the gateway's certificate, is filled by no Certificate of the program")
        return Peer(tls=True, sni=sni)
    walk.presented.add(secret)
    identity = certificate.identities[0] if certificate.identities else ""
    return Peer(identity=identity, authority=certificate.authority, tls=True, sni=sni)
