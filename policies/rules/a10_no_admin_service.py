"""A10: nobody reaches the gateway's administration."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.charts import chart_name
from policies.reading.controllers import envoy_gateway_config
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

ADMIN_PORTS: Final[Mapping[int, str]] = {
    8001: "Kong's Admin API",
    8444: "Kong's Admin API",
    8002: "Kong Manager",
    8445: "Kong Manager",
    8007: "Kong's debugging port",
    15000: "the sidecar's administration",
    8100: "Kong's state",
    19000: "Envoy's administration",
    19001: "Envoy's statistics",
    19002: "the proxies' shutdown manager",
    9901: "Envoy's administration",
}
"""Ports on which gateways are administered (Kong 3.9: kong.conf.default; Envoy Gateway 1.9: internal/xds/bootstrap; Istio: ports)."""

LOOPBACK: Final = ("127.", "localhost", "[::1]", "::1", "unix:", "off")


class A10(Rule):
    """The gateway's administration is on no Service and on no address but the pod's own.

    Forbids:
        A Service that leads to an administration port of a gateway's pods; Kong's `admin_listen` or Envoy Gateway's
        `admin.address` on another address than the loopback; an EnvoyProxy with its own `bootstrap` or with `patch`es, which
        could move it.

    Why:
        Whoever reaches Kong's Admin API or Envoy's administration changes routes, reads keys or switches the gateway off,
        without a credential: both trust the network.

    Instead:
        Leave it on the loopback, and publish the proxy's port alone::

            type: kubernetes:helm.sh/v3:Release
            inputs:
              chart: kong
              values:
                admin: {enabled: false}   # no Service; the controller beside it uses 127.0.0.1
    """

    id = "A10"
    name = "administration-stays-inside"
    severity = Severity.HIGH

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the Services of gateways' pods, then where administration listens."""
        pods = frozenset(pod for gateway in stack.gateways for pod in gateway.pods)
        for service in stack.services:
            if pods & set(service.pods):
                yield from self.over([service.resource], lambda _, service=service: self._service(service))
        yield from self.over(stack.releases, self._release)
        yield from self.over(stack.of("EnvoyProxy"), self._parameters)

    def _service(self, service: Service) -> Iterator[Finding]:
        for port in service.ports:
            for pod in service.pods:
                number = pod.port_number(port.target)
                if number in ADMIN_PORTS:
                    yield self.broken(
                        service.resource,
                        f"{service}: port {port.port} leads to port {number} of the {pod}: {ADMIN_PORTS[number]}",
                        "remove the port from the Service",
                    )

    def _release(self, release: Resource) -> Iterator[Finding]:
        match chart_name(release):
            case "kong":
                listens: str = release.at("values", "env", "admin_listen", default="127.0.0.1")
            case "gateway-helm":
                admin: Mapping[str, Any] = envoy_gateway_config(release).get("admin") or {}
                address: Mapping[str, Any] = admin.get("address") or {}
                listens = str(address.get("host") or "127.0.0.1")
            case _:
                return
        outside = [part.strip() for part in listens.split(",") if not part.strip().startswith(LOOPBACK)]
        if outside:
            yield self.broken(release, f"administration listens on {outside[0]}, which other pods reach", "let it listen on 127.0.0.1")

    def _parameters(self, parameters: Resource) -> Iterator[Finding]:
        kubernetes: Mapping[str, Any] = parameters.at("spec", "provider", "kubernetes", default={})
        patched = [key for key, value in kubernetes.items() if isinstance(value, Mapping) and "patch" in value]
        for what in (*patched, *(["bootstrap"] if parameters.at("spec", "bootstrap", default={}) else [])):
            yield self.undecided(
                parameters,
                f"{what} is patched beneath its fields: where Envoy's administration listens cannot be told",
                "use the fields of EnvoyProxy",
            )
