"""What Kong's controller takes for its own: the GatewayClass, and the Gateway whose listeners are the public hosts."""

from typing import Final

from components.gateway import routes
from topology.derive import names
from topology.derive.manifest import Manifest
from topology.model.system import Topology

CONTROLLER: Final = "konghq.com/kic-gateway-controller"
UNMANAGED: Final = {"konghq.com/gatewayclass-unmanaged": "true"}
"""The chart makes the proxies; the controller only configures them."""
PUBLISHED: Final = {"konghq.com/publish-service": f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}"}
"""By which Service the controller knows their ports. It would write this itself, and the next deployment would find a difference."""


def gateway_class() -> Manifest:
    """Return the class of the Gateway."""
    return routes.gateway_class(CONTROLLER, UNMANAGED)


def gateway(t: Topology, *, by_name: bool = True) -> Manifest:
    """Return the Gateway, whose listeners give Kong its certificate.

    They name no kinds of routes. KIC 3.5 takes HTTPRoutes and GRPCRoutes where none is named, but a listener that names GRPCRoute is
    invalid to it and goes without its certificate (gateway_utils.go, `supportedKinds`).
    """
    document = routes.gateway(t, by_name=by_name)
    document["metadata"]["annotations"] = dict(PUBLISHED)
    for listener in document["spec"]["listeners"]:
        del listener["allowedRoutes"]["kinds"]
    return document
