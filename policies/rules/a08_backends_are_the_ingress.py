"""A08: the gateway's backends are the mesh ingresses."""

from collections.abc import Iterator, Mapping
from typing import Any

from policies.reading.gateways import Backend
from policies.reading.stack import Stack
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Hop, Severity

FIX = "lead it to the Service of a mesh ingress, which decides what goes on to which service"


class A08(RouteRule):
    """The API gateway sends requests to the mesh ingresses, and nowhere else.

    Forbids:
        A route whose backend, or whose mirror of requests (`RequestMirror`), is anything but a Service in front of pods that an
        Istio Gateway configures: a Service of an application, a Service that the program does not have, an address
        (`Backend`), a Lambda. A Backend of API Management, or an address in a policy, that leads elsewhere than to the load
        balancer of a mesh ingress.

    Why:
        The mesh ingress checks the gateway's certificate and the token again, and knows which services have doors. A route
        straight to a service goes around that: the sidecar there refuses it at best, or answers somebody it should not know.

    Instead:
        Every route leads to the ingress; the VirtualService there leads on::

            kind: HTTPRoute
            spec:
              rules:
                - matches: [{path: {type: PathPrefix, value: /a}}]
                  backendRefs: [{name: ingress, namespace: istio-ingress, port: 443}]
    """

    id = "A08"
    name = "gateway-leads-to-the-mesh-ingress"
    severity = Severity.CRITICAL
    frameworks = ("C-0266",)

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check the backends and mirrors of one rule."""
        for backend in published.rule.backends:
            yield from self._target(published, backend, "sends its requests to")
        for mirror in published.filters("RequestMirror"):
            reference: Mapping[str, Any] = mirror["requestMirror"]["backendRef"]
            backend = Backend(
                namespace=reference.get("namespace") or published.route.namespace,
                name=reference["name"],
                kind=reference.get("kind") or "Service",
                port=reference.get("port"),
                filters=(),
            )
            yield from self._target(published, backend, "sends a copy of its requests to")

    def _target(self, published: Published, backend: Backend, what: str) -> Iterator[Finding]:
        route = published.route
        target = f"{backend.kind} {backend.namespace}/{backend.name}"
        if backend.kind != "Service":
            yield self.broken(
                route, f"{published}: {what} {target}, which is no Service: wherever it leads, it is not the mesh ingress", FIX
            )
            return
        service = published.service(backend)
        if service is None:
            yield self.broken(route, f"{published}: {what} {target}, which this program does not have", FIX)
            return
        ingress = published.stack.mesh_ingress
        strangers = [pod for pod in service.pods if pod not in ingress]
        if strangers or not service.pods:
            behind = f"the {strangers[0]}" if strangers else "no pods of this program"
            hops = (
                Hop(place=str(published.gateway), allowed_by=str(route), urn=route.urn),
                Hop(place=behind, allowed_by=target, urn=service.resource.urn),
            )
            yield self.broken(route, f"{published}: {what} {target}, behind which are {behind} and not a mesh ingress", FIX, hops)
