"""K05: routes of the API gateway lead to what is exposed, and only the platform may attach them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at
from policies.layers import Layer, Layers, layers_of, workload
from policies.reading.controllers import GATEWAY_API
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

ROUTES: Final = tuple(f"{kind}.{GATEWAY_API}" for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"))


class K05(Rule):
    """A route leads to the mesh ingress, listeners take routes of their own namespace, grants name who and what.

    Forbids:
        HTTPRoutes and the like whose backends, mirrors included, are Services that no door leads to; routes attached to
        something else than a Gateway; `allowedRoutes` from All, or from a selector that other namespaces match; ReferenceGrants
        to another namespace than the gateway's, or for every Service of a namespace.

    Why:
        Whoever may attach a route to a listener opens a door with a certificate that clients trust. A ReferenceGrant is the
        consent of the target's namespace: one for all Services consents to those that are added later.

    Instead:
        Keep routes beside the Gateway and let the mesh ingress be their only backend::

            kind: ReferenceGrant
            metadata: {name: gateway, namespace: istio-ingress}
            spec:
              from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: gateway}]
              to: [{group: "", kind: Service, name: ingress}]
    """

    id = "K05"
    name = "routes-to-exposed-services-only"
    severity = Severity.CRITICAL
    frameworks = ("C-0266", "Gateway API conformance")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check routes, listeners and grants."""
        layers = layers_of(stack)
        gateways = frozenset(gateway.namespace for gateway in stack.of(f"Gateway.{GATEWAY_API}"))
        yield from self.over(stack.of(*ROUTES), lambda route: self._route(route, stack, layers))
        yield from self.over(stack.of(f"Gateway.{GATEWAY_API}"), lambda gateway: self._listeners(gateway, stack))
        yield from self.over(stack.of(f"ReferenceGrant.{GATEWAY_API}"), lambda grant: self._grant(grant, gateways))

    def _route(self, route: Resource, stack: Stack, layers: Layers) -> Iterator[Finding]:
        for parent in route.at("spec", "parentRefs", default=[]):
            if (kind := parent.get("kind") or "Gateway") != "Gateway":
                yield self.broken(route, f"it is attached to {kind} {parent.get('name')}, not to a Gateway", "attach it to the API gateway")
        for backend in _backends(route):
            yield from self._backend(route, backend, stack, layers)

    def _backend(self, route: Resource, backend: Mapping[str, Any], stack: Stack, layers: Layers) -> Iterator[Finding]:
        kind, name = backend.get("kind") or "Service", backend.get("name", "")
        namespace = backend.get("namespace") or route.namespace
        if kind != "Service":
            yield self.undecided(route, f"its backend {kind} {namespace}/{name} may lead anywhere", "use a Service as backend")
            return
        service = stack.service(namespace, name)
        if service is None or not service.pods:
            yield self.undecided(
                route, f"its backend Service {namespace}/{name} selects no pod of this stack", "declare the Service and its pods"
            )
            return
        for pod in service.pods:
            layer = layers.pods.get(pod)
            if layer is Layer.INGRESS or (layer is None and workload(pod) in layers.doors):
                continue
            what = str(layer) if layer else "a service that no door of the topology leads to"
            yield self.broken(route, f"its backend {service} is {what}", "send it to the mesh ingress, or declare a door to the service")
            return

    def _listeners(self, gateway: Resource, stack: Stack) -> Iterator[Finding]:
        for listener in gateway.at("spec", "listeners", default=[]):
            allowed: Mapping[str, Any] = at(listener, "allowedRoutes", "namespaces", default={})
            origin = allowed.get("from", "Same")
            if origin == "All":
                yield self.broken(
                    gateway, f"listener {listener.get('name')} takes routes of every namespace", "set allowedRoutes.namespaces.from: Same"
                )
            elif origin == "Selector":
                selector: Mapping[str, Any] = allowed.get("selector") or {}
                others = sorted(n.name for n in stack.namespaces.values() if n.name != gateway.namespace and matches(selector, n.labels))
                if others or not selector:
                    whose = ", ".join(others) or "every namespace"
                    yield self.broken(
                        gateway, f"listener {listener.get('name')} takes routes of {whose}", "set allowedRoutes.namespaces.from: Same"
                    )
        if gateway.at("spec", "allowedListeners", "namespaces", "from", default="None") != "None":
            yield self.broken(gateway, "other objects may add listeners to it (allowedListeners)", "remove allowedListeners")

    def _grant(self, grant: Resource, gateways: frozenset[str]) -> Iterator[Finding]:
        for source in grant.at("spec", "from", default=[]):
            if (namespace := source.get("namespace", "")) not in gateways:
                yield self.broken(
                    grant,
                    f"it lets {source.get('kind')} of namespace {namespace} refer to {grant.namespace}, which holds no Gateway",
                    "name the gateway's namespace",
                )
        for target in grant.at("spec", "to", default=[]):
            if not target.get("name"):
                yield self.broken(grant, f"it is for every {target.get('kind')} of {grant.namespace}", "name the one that is meant")


def _backends(route: Resource) -> Iterator[Mapping[str, Any]]:
    """Yield every backend of a route: of rules, and of the mirrors of rules and backends."""
    for rule in route.at("spec", "rules", default=[]):
        backends: list[Mapping[str, Any]] = at(rule, "backendRefs", default=[])
        filters = [*at(rule, "filters", default=[]), *(each for backend in backends for each in at(backend, "filters", default=[]))]
        yield from backends
        yield from (found for each in filters if (found := at(each, "requestMirror", "backendRef")))
