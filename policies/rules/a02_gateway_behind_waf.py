"""A02: the API gateway accepts the WAF alone."""

from collections.abc import Iterator

from policies.reading.controllers import Controller
from policies.reading.envoy_gateway import client_check
from policies.reading.gateways import ApiGateway
from policies.reading.kong_upstream import client_settings
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.reading.waf import fronts
from policies.rule import Finding, Hop, Rule, Severity


class A02(Rule):
    """The API gateway accepts connections from the WAF's pods alone, and asks them for a certificate.

    Forbids:
        - NetworkPolicies that let any pod besides the public WAF's connect to a port on which a gateway's pods serve clients, by
          name, by an empty `from`, by a selector that fits more, or by an address range that pods live in; and no policy at all;
        - a gateway that does not require and verify its clients' certificates, or one of Envoy Gateway that takes other identities
          than the edge's.

    Why:
        Whoever reaches the gateway without passing the edge is not inspected by the WAF, and may send the headers that the edge
        would have removed: it looks to the gateway like the edge itself. A NetworkPolicy is only as good as the network plugin
        that enforces it; the certificate holds where none does.

    Instead:
        Name the edge's pods, and only their port::

            kind: NetworkPolicy
            metadata: {name: gateway, namespace: gateway}
            spec:
              podSelector: {matchLabels: {gateway.envoyproxy.io/owning-gateway-name: gateway}}
              policyTypes: [Ingress, Egress]
              ingress:
                - from:
                    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}
                      podSelector: {matchLabels: {app: edge}}
                  ports: [{port: 10443}]

        and verify its certificate: `tls.clientValidation` of the ClientTrafficPolicy, or for Kong `nginx_proxy_ssl_verify_client: "on"`
        with `nginx_proxy_ssl_client_certificate` in the chart's `env`.
    """

    id = "A02"
    name = "gateway-accepts-the-waf-alone"
    severity = Severity.CRITICAL

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every port on which a gateway serves."""
        edge = frozenset(front.nginx.pod for front in fronts(stack))
        for gateway in stack.gateways:
            yield from self.over([gateway.gateway], lambda _, gateway=gateway: self._gateway(gateway, edge, stack))
        for resource, error in stack.unreadable:
            if resource.kind == "NetworkPolicy":
                yield self.undecided(resource, f"whom it lets connect cannot be read: {error}")

    def _gateway(self, gateway: ApiGateway, edge: frozenset[Pod], stack: Stack) -> Iterator[Finding]:
        if not gateway.pods:
            yield self.undecided(gateway.gateway, "which pods serve it is not known", "install its controller in this program")
        yield from self._certificates(gateway, edge, stack)
        for pod in gateway.pods:
            for port in sorted(set(gateway.ports.values()) or _served(pod, stack)):
                yield from self._port(gateway, pod, port, edge, stack)

    def _certificates(self, gateway: ApiGateway, edge: frozenset[Pod], stack: Stack) -> Iterator[Finding]:
        fix = "require and verify the edge's client certificate"
        if gateway.controller is Controller.KONG:
            settings = client_settings(stack.releases)
            if settings.get("verify_client") != "on" or not settings.get("client_certificate"):
                yield self.broken(gateway.gateway, "Kong does not ask its clients for a certificate", fix)
            return
        for listener in gateway.listeners:
            policy = stack.envoy_policies.of_listener("ClientTrafficPolicy", listener, gateway.gateway)
            asked = client_check(policy)
            if not asked.required or not asked.secrets:
                yield self.broken(policy or gateway.gateway, f"listener `{listener.name}` does not ask its clients for a certificate", fix)
                continue
            homes = {f"/ns/{pod.namespace}/sa/{pod.service_account}" for pod in edge}
            others = [each for each in asked.identities if f"/ns/{each.partition('/ns/')[2]}" not in homes]
            if others or not asked.identities:
                whom = ", ".join(others) or "any certificate of its authority"
                yield self.broken(
                    policy or gateway.gateway,
                    f"listener `{listener.name}` takes {whom}, not the edge's alone",
                    "name the edge's identity in clientValidation.subjectAltNames.uris",
                )

    def _port(self, gateway: ApiGateway, pod: Pod, port: int, edge: frozenset[Pod], stack: Stack) -> Iterator[Finding]:
        if stack.network.is_open(pod, "Ingress"):
            yield self.broken(
                gateway.gateway,
                f"no NetworkPolicy restricts who may connect to the {pod}",
                "select them in a NetworkPolicy that names the edge's pods",
            )
            return
        for opening in stack.network.openings(pod, "Ingress"):
            if not opening.on(port, "TCP", pod):
                continue
            others = sorted(str(other) for other in opening.pods - edge)
            everyone = opening.anyone or any(block.may_hold_pods for block in opening.blocks)
            if not everyone and not others:
                continue
            whom = "every pod" if everyone else f"the {others[0]}"
            hops = (Hop(place=whom, allowed_by=str(opening.policy), urn=opening.policy.urn), Hop(place=str(pod), allowed_by=f"port {port}"))
            yield self.broken(
                opening.policy,
                f"lets {whom} connect to port {port} of the {pod}, past the WAF",
                "name the edge's pods alone under `from`",
                hops,
            )


def _served(pod: Pod, stack: Stack) -> set[int]:
    """Return the container ports to which Services lead: Kong's listeners do not say them."""
    return {
        number
        for service in stack.services_of(pod)
        for port in service.ports
        if port.port == 443 and (number := pod.port_number(port.target)) is not None
    }
