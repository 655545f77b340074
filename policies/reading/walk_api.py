"""Requests through an API gateway: listener, rule, credentials, changes, and the backend behind them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from policies.reading.controllers import GATEWAY_API, Controller
from policies.reading.envoy_gateway import Asked, asked, client_check
from policies.reading.flow import PLAIN, Flow, Peer
from policies.reading.gateways import ApiGateway, Backend, Listener, Match, Rule, is_granted
from policies.reading.patterns import exact, meet_hosts
from policies.reading.pods import Pod
from policies.reading.requests import ANY_METHOD
from policies.reading.services import Service
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.walk import Walk

ROLE: Final = "gateway"


def through_api_gateway(walk: "Walk", flow: Flow, gateway: ApiGateway, pod: Pod, port: int, peer: Peer) -> None:
    """Follow requests through an API gateway's proxy."""
    listeners = list(gateway.listening(port))
    if not listeners:
        walk.refuse(flow, str(gateway), f"no listener on port {port} of its proxies", gateway.gateway)
    for listener in listeners:
        walk.reading(flow, gateway.gateway, lambda listener=listener: _listener(walk, flow, gateway, pod, listener, peer))


def _listener(walk: "Walk", flow: Flow, gateway: ApiGateway, pod: Pod, listener: Listener, peer: Peer) -> None:
    place = f"{gateway} listener {listener.name}"
    tls = listener.protocol in {"HTTPS", "TLS"}
    if mapping(listener.spec.get("tls")).get("mode") == "Passthrough" or listener.protocol not in {"HTTP", "HTTPS"}:
        raise UnknownValueError(place, "a listener that does not look at requests")
    if tls != peer.tls:
        walk.refuse(flow, place, f"it {'asks for' if tls else 'does not speak'} TLS", gateway.gateway)
        return
    if tls and listener.hostname != "*" and meet_hosts(peer.sni, listener.hostname) is None:
        walk.refuse(flow, place, f"SNI {peer.sni or '(none)'} is not {listener.hostname}", gateway.gateway)
        return
    if not _client_admitted(walk, flow, gateway, listener, peer, place):
        return
    rules = listener.by_precedence
    for requests in flow.requests.to([listener.hostname]):
        onward = replace(flow.with_requests(requests).hop(str(pod), place, gateway.gateway), roles=(*flow.roles, ROLE))
        _rules(walk, onward, gateway, listener, pod, rules.about(onward.requests.path))


def _client_admitted(walk: "Walk", flow: Flow, gateway: ApiGateway, listener: Listener, peer: Peer, place: str) -> bool:
    if gateway.controller is not Controller.ENVOY_GATEWAY:
        return True
    check = client_check(walk.stack.envoy_policies.of_listener("ClientTrafficPolicy", listener, gateway.gateway))
    if not check.required:
        return True
    authorities = {found.authority for secret in check.secrets if (found := walk.stack.certificates.of(*secret))}
    if check.secrets and len(authorities) < len(set(check.secrets)):
        walk.doubt(
            flow, gateway.gateway, f"{check.policy}: a Secret with the authority of clients is filled by no Certificate of the program"
        )
    if not peer.authority or (authorities and peer.authority not in authorities):
        walk.refuse(flow, place, f"{check.policy} asks for a client certificate of {', '.join(sorted(authorities))}", gateway.gateway)
        return False
    if check.identities and peer.identity not in check.identities:
        walk.refuse(flow, place, f"{check.policy} asks for a client certificate of {', '.join(check.identities)}", gateway.gateway)
        return False
    return True


def _rules(walk: "Walk", flow: Flow, gateway: ApiGateway, listener: Listener, pod: Pod, rules: Iterable[tuple[Match, Rule]]) -> None:
    rest: list[Flow] = [flow]
    for match, rule in rules:
        if not rest:
            return
        left: list[Flow] = []
        for each in rest:
            for taken in _matched(each, match, rule):
                walk.reading(
                    taken, rule.route, lambda taken=taken, match=match, rule=rule: _rule(walk, taken, gateway, listener, pod, match, rule)
                )
            left += _left(each, match, rule)
        rest = left
    for each in rest:
        walk.refuse(each, f"{gateway} listener {listener.name}", f"no route for {each.requests}", gateway.gateway)


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


def _rule(walk: "Walk", flow: Flow, gateway: ApiGateway, listener: Listener, pod: Pod, match: Match, rule: Rule) -> None:
    stack = walk.stack
    if gateway.controller is Controller.KONG:
        services = [found.resource for backend in rule.backends if (found := stack.service(backend.namespace, backend.name))]
        plugins = list(stack.kong_plugins.of(rule, services))
        passed = list(stack.kong_plugins.asked(plugins, flow.requests))
        for plugin in plugins:
            if plugin.name == "request-transformer":
                flow = _transformed(flow, plugin.config, str(plugin.resource))
    elif gateway.controller is Controller.ENVOY_GATEWAY:
        passed = list(asked(stack.envoy_policies.of_rule("SecurityPolicy", rule, listener, gateway.gateway), flow.requests))
    else:
        raise UnknownValueError(str(gateway), "a gateway of a controller whose checks are not known")
    if not passed:
        walk.refuse(flow, str(rule), "its policies let nothing through", rule.route)
    for each in passed:
        if any(demand.startswith("jwt ") for demand in each.demands) and not flow.token:
            walk.refuse(flow, str(rule), "it asks for a token, which an earlier hop removed", rule.route)
            continue
        onward = flow.with_requests(each.requests).demanding(each.demands)
        by = ", ".join([str(rule), *each.policies])
        onward = replace(onward.hop(_shown(each), by, rule.route), doubt=each.doubt or onward.doubt)
        changed = _filtered(walk, onward, rule, match)
        if changed is None:
            continue
        for backend in (*rule.backends, *_mirrors(rule)):
            walk.reading(changed, rule.route, lambda changed=changed, backend=backend: _backend(walk, changed, gateway, pod, rule, backend))


def _shown(passed: Asked) -> str:
    return f"credential: {' and '.join(sorted(passed.demands)) or 'none'}"


def _transformed(flow: Flow, config: Mapping[str, Any], where: str) -> Flow:
    if mapping(config.get("replace")).get("uri"):
        raise UnknownValueError(f"{where}: replace.uri", "a rewrite that cannot be read")
    removed = {str(header).lower() for header in sequence(mapping(config.get("remove")).get("headers"))}
    return replace(flow, token=flow.token and "authorization" not in removed)


def _filtered(walk: "Walk", flow: Flow, rule: Rule, match: Match, filters: Iterable[Mapping[str, Any]] | None = None) -> Flow | None:
    """Return the flow as the filters of a rule change it; None where one answers by itself."""
    for each in rule.filters if filters is None else filters:
        match each["type"]:
            case "RequestHeaderModifier":
                change = mapping(each.get("requestHeaderModifier"))
                names = {str(name).lower() for name in sequence(change.get("remove"))}
                names |= {str(header["name"]).lower() for header in sequence(change.get("set"))}
                flow = replace(flow, token=flow.token and "authorization" not in names)
            case "URLRewrite":
                flow = _rewritten(flow, mapping(each.get("urlRewrite")), match)
            case "RequestRedirect":
                walk.refuse(flow, str(rule), "answered by a redirect", rule.route)
                return None
            case "ExtensionRef":
                if (extended := _extended(walk, flow, rule, match, each["extensionRef"])) is None:
                    return None
                flow = extended
            case "ResponseHeaderModifier" | "RequestMirror" | "CORS":
                pass
            case kind:
                raise UnknownValueError(f"{rule}: filter {kind}", "a filter that is not known")
    return flow


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


def _extended(walk: "Walk", flow: Flow, rule: Rule, match: Match, reference: Mapping[str, Any]) -> Flow | None:
    found = walk.stack.find(reference["kind"], rule.route.namespace, reference["name"])
    if found is None or found.kind != "HTTPRouteFilter":
        raise UnknownValueError(
            f"{rule}: {reference['kind']} {reference['name']}", "a filter that is not among the resources of the program"
        )
    spec = found.spec
    if spec.get("directResponse"):
        walk.refuse(flow, str(rule), f"answered by {found}", found)
        return None
    rewrite = mapping(spec.get("urlRewrite"))
    path = mapping(rewrite.get("path"))
    if path.get("type") == "ReplaceRegexMatch" or mapping(rewrite.get("hostname")).get("type"):
        raise UnknownValueError(f"{found}: urlRewrite", "a rewrite that cannot be read")
    return flow


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


def _backend(walk: "Walk", flow: Flow, gateway: ApiGateway, pod: Pod, rule: Rule, backend: Backend) -> None:
    if backend.kind != "Service":
        raise UnknownValueError(f"{rule}: backend {backend.kind} {backend.name}", "a backend that is no Service")
    if not is_granted(backend, rule.route, walk.stack.of(f"ReferenceGrant.{GATEWAY_API}")):
        walk.refuse(flow, str(rule), f"no ReferenceGrant lets it refer to Service {backend.namespace}/{backend.name}", rule.route)
        return
    service = walk.stack.service(backend.namespace, backend.name)
    if service is None:
        walk.refuse(flow, str(rule), f"Service {backend.namespace}/{backend.name} does not exist", rule.route)
        return
    if backend.filters:
        # Filters of a backend use what the rule matched; only headers are changed there.
        changed = _filtered(walk, flow, rule, rule.matches[0], backend.filters)
        if changed is None:
            return
        flow = changed
    kong = gateway.controller is Controller.KONG
    upstream = _kong_upstream(walk, flow, rule, service) if kong else _envoy_upstream(walk, flow, gateway, service, backend)
    port = backend.port or (service.ports[0].port if service.ports else 0)
    walk.to_service(upstream.flow, (pod,), service, port, upstream.peer)


@dataclass(frozen=True, kw_only=True)
class _Upstream:
    flow: Flow
    peer: Peer


def _envoy_upstream(walk: "Walk", flow: Flow, gateway: ApiGateway, service: Service, backend: Backend) -> _Upstream:
    """Return how Envoy Gateway's proxy calls a Service: TLS where a BackendTLSPolicy says so, with the proxy's own certificate."""
    policy = None
    for each in walk.stack.of(f"BackendTLSPolicy.{GATEWAY_API}"):
        for ref in each.at("spec", "targetRefs", default=[]):
            port = service.port(backend.port) if backend.port else None
            names_port = ref.get("sectionName") in {None, port.name if port else None}
            if ref["kind"] == "Service" and ref["name"] == service.name and each.namespace == service.namespace and names_port:
                policy = each
    if policy is None:
        return _Upstream(flow=flow, peer=PLAIN)
    sni = policy.at("spec", "validation", "hostname", default="")
    reference = mapping(gateway.parameters.at("spec", "backendTLS", "clientCertificateRef")) if gateway.parameters else None
    if gateway.parameters is None or not reference:
        return _Upstream(flow=flow, peer=Peer(tls=True, sni=sni))
    return _Upstream(flow=flow, peer=_shown_by(walk, flow, gateway.parameters.namespace, reference["name"], sni))


def _shown_by(walk: "Walk", flow: Flow, namespace: str, secret: str, sni: str) -> Peer:
    certificate = walk.stack.certificates.of(namespace, secret)
    if certificate is None:
        walk.doubt(flow, None, f"Secret {namespace}/{secret}, the gateway's certificate, is filled by no Certificate of the program")
        return Peer(tls=True, sni=sni)
    walk.presented.add((namespace, secret))
    identity = certificate.identities[0] if certificate.identities else ""
    return Peer(identity=identity, authority=certificate.authority, tls=True, sni=sni)


def _kong_upstream(walk: "Walk", flow: Flow, rule: Rule, service: Service) -> _Upstream:
    """Return how Kong calls a Service, as the Service's annotations say."""
    annotations = {**service.resource.annotations}
    route = rule.route.annotations
    if route.get("konghq.com/strip-path") == "true":
        raise UnknownValueError(f"{rule.route}: konghq.com/strip-path", "a rewrite that is not followed")
    host = annotations.get("konghq.com/host-header") or ""
    if host and route.get("konghq.com/preserve-host") == "false":
        flow = flow.rehost(host)
    if annotations.get("konghq.com/protocol") not in {"https", "grpcs"}:
        return _Upstream(flow=flow, peer=PLAIN)
    # Kong takes the server name from the Service's host header where there is one, else from the request.
    sni = host or flow.requests.host
    secret = annotations.get("konghq.com/client-cert") or ""
    if not secret:
        return _Upstream(flow=flow, peer=Peer(tls=True, sni=sni))
    return _Upstream(flow=flow, peer=_shown_by(walk, flow, service.namespace, secret, sni))
