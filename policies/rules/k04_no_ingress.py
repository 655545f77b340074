"""K04: the only doors are the gateway's routes."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from policies.cloud_rule import in_clouds
from policies.reading.cloud.model import NOTHING
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity

GATEWAY_CONTROLLERS: Final = frozenset({"ingress-controllers.konghq.com/kong"})
"""IngressClass controllers that are an API gateway of ours; their charts make a class even where only Gateway API routes are used."""

DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"

BINDING: Final = "TargetGroupBinding"

DOORS: Final[Mapping[str, str]] = {
    "Ingress": "an Ingress controller",
    "IngressRoute": "Traefik",
    "IngressRouteTCP": "Traefik",
    "IngressRouteUDP": "Traefik",
    "HTTPProxy": "Contour",
    "VirtualServer": "the NGINX ingress controller",
    "TransportServer": "the NGINX ingress controller",
    "Route.route.openshift.io": "the OpenShift router",
    "Mapping.getambassador.io": "Emissary",
    BINDING: "an AWS load balancer",
}
"""Kinds that publish a Service without the Gateway API, and who reads them."""


class K04(ResourceRule):
    """There is no Ingress, and no IngressClass but the API gateway's.

    Forbids:
        Ingress objects and the like of other controllers (IngressRoute, HTTPProxy, VirtualServer, Route); IngressClasses of other
        controllers; a default IngressClass; a TargetGroupBinding of anything but the pods of the layer behind the load balancer
        (nginx where it stands there, else the API gateway), or to a target group that is not in the program; a load
        balancer controller that reads such objects in every namespace.

    Why:
        Each is a door that the topology does not know: no WAF, no token check and no rate limit stands in front of it, and its
        controller may be installed by somebody else tomorrow. A default IngressClass turns every Ingress that anybody
        creates into such a door.

    Instead:
        Declare a door in the topology. It becomes a Gateway API HTTPRoute of the API gateway::

            doors:
              orders:
                methods: [GET]
                paths: ["/orders/*"]
                service: orders
                auth: {jwt: customers}
    """

    id = "K04"
    name = "no-ingress-beside-the-gateway"
    severity = Severity.CRITICAL
    frameworks = ("C-0256",)
    kinds: ClassVar = (*DOORS, "IngressClass", "IngressPatch", "IngressClassPatch")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every resource; what a load balancer of the program's cloud is bound to, that cloud's readers know."""
        yield from super().judge(stack)
        yield from in_clouds(self, stack)

    def applies(self, stack: Stack) -> bool:
        """Say yes: that there is none is what the rule holds."""
        return True

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one resource."""
        if resource.kind == BINDING and stack.cloud is not NOTHING:
            return
        if resource.kind.startswith("IngressClass"):
            yield from self._class(resource)
            return
        reader = DOORS.get(resource.kind) or DOORS.get(f"{resource.kind}.{resource.group}") or DOORS["Ingress"]
        yield self.broken(
            resource,
            f"it opens a way from outside through {reader}, past edge and gateway",
            "remove it, and declare the door under `doors` in the topology",
        )

    def _class(self, resource: Resource) -> Iterator[Finding]:
        controller = resource.at("spec", "controller", default="")
        if controller not in GATEWAY_CONTROLLERS:
            yield self.broken(
                resource,
                f"its controller {controller or '(none given)'} is not the API gateway",
                "remove it; doors are HTTPRoutes of the API gateway",
            )
        if str(resource.annotations.get(DEFAULT_CLASS, "")).lower() == "true":
            yield self.broken(
                resource,
                "as the default class it turns every Ingress that anybody creates into a door",
                f"remove the annotation {DEFAULT_CLASS}",
            )
