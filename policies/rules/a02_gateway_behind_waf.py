"""A02: the API gateway accepts the WAF alone."""

from collections.abc import Iterator

from policies.cloud_rule import in_clouds
from policies.reading.cloud.addresses import Addresses
from policies.reading.cloud.model import EDGE, senders
from policies.reading.controllers import Controller
from policies.reading.envoy_gateway import client_check
from policies.reading.gateways import ApiGateway
from policies.reading.kong_upstream import client_settings
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.waf import Front, behind_balancers, fronts
from policies.rule import Finding, Hop, Rule, Severity


class A02(Rule):
    """The API gateway accepts connections from the WAF's pods alone, and asks them for a certificate.

    Forbids:
        - NetworkPolicies that let any pod besides the public WAF's connect to a port on which a gateway's pods serve clients, by
          name, by an empty `from`, by a selector that fits more, or by an address range that pods live in; and no policy at all;
        - the same of a cloud's network: a security group that lets anybody but the WAF connect to API Management, or to the nodes on
          ports at which the gateway's pods serve;
        - where nginx stands behind a cloud's load balancer, the same of nginx: the load balancer alone connects to it, and it alone
          to the gateway;
        - a gateway that does not require and verify its clients' certificates, or one of Envoy Gateway that takes other identities
          than the edge's. The firewalls of clouds show no certificate: behind them the network alone is asked.

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
        found = fronts(stack)
        edge = frozenset(front.nginx.pod for front in found)
        # Beside a cloud's own firewall there may be pods that are public themselves, and then they stand before a gateway of pods.
        outside = Addresses() if any(front.balancer is None for front in found) else _addresses(stack)
        for gateway in stack.gateways:
            yield from self.over([gateway.gateway], lambda _, gateway=gateway: self._gateway(gateway, edge, outside, stack))
        for front in behind_balancers(stack):
            yield from self.over([front.resource], lambda _, front=front: self._behind(front, stack))
        yield from in_clouds(self, stack)
        for resource, error in stack.unreadable:
            if resource.kind == "NetworkPolicy":
                yield self.undecided(resource, f"whom it lets connect cannot be read: {error}")

    def _gateway(self, gateway: ApiGateway, edge: frozenset[Pod], outside: Addresses, stack: Stack) -> Iterator[Finding]:
        if not gateway.pods:
            yield self.undecided(gateway.gateway, "which pods serve it is not known", "install its controller in this program")
        if edge or not outside:
            yield from self._certificates(gateway, edge, stack)
        for pod in gateway.pods:
            for port in sorted(set(gateway.ports.values()) or _served(pod, stack)):
                yield from self._port(gateway.gateway, pod, port, edge, stack)
                if outside:
                    yield from self._fence(pod, port, stack)

    def _behind(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check that a load balancer alone connects to the nginx behind it."""
        yield from self._port(front.resource, front.nginx.pod, front.exposure.port, frozenset(), stack)
        yield from self._fence(front.nginx.pod, front.exposure.port, stack)

    def _fence(self, pod: Pod, port: int, stack: Stack) -> Iterator[Finding]:
        """Check what lies around the nodes, where a cloud's firewall connects to pods."""
        nodes = stack.cloud.nodes
        if nodes is None:
            return
        fine = nodes.addresses | _addresses(stack)
        for peers, by, group in senders(nodes, port):
            if beyond := peers - fine:
                hops = (Hop(place=str(beyond), allowed_by=f"{group}: {by}", urn=group.urn), Hop(place=str(pod), allowed_by=f"port {port}"))
                message = f"{beyond} can connect to port {port} of the {pod} (by {by}), past the WAF"
                yield self.broken(group, message, "name the WAF alone", hops)

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

    def _port(self, owner: Resource, pod: Pod, port: int, before: frozenset[Pod], stack: Stack) -> Iterator[Finding]:
        fix = "name the layer before it alone under `from`: the edge's pods, or the subnets of a load balancer"
        if stack.network.is_open(pod, "Ingress"):
            yield self.broken(owner, f"no NetworkPolicy restricts who may connect to the {pod}", f"select them in a NetworkPolicy: {fix}")
            return
        for opening in stack.network.openings(pod, "Ingress"):
            if not opening.on(port, "TCP", pod):
                continue
            others = [f"the {other}" for other in sorted(map(str, opening.pods - before))]
            # Without a door nothing lands anywhere; the firewall may connect all the same.
            landed = stack.ways.landed_on(pod) if stack.intent.doors else _addresses(stack)
            others += [f"the addresses {block}" for block in opening.blocks if block.holds_outside or not landed.holds(block.addresses)]
            everyone = opening.anyone or any(block.may_hold_pods for block in opening.blocks)
            if not everyone and not others:
                continue
            whom = "every pod" if everyone else others[0]
            hops = (Hop(place=whom, allowed_by=str(opening.policy), urn=opening.policy.urn), Hop(place=str(pod), allowed_by=f"port {port}"))
            yield self.broken(
                opening.policy,
                f"lets {whom} connect to port {port} of the {pod}, past the WAF",
                fix,
                hops,
            )


def _addresses(stack: Stack) -> Addresses:
    """Return those of the firewalls of a cloud."""
    found = Addresses()
    for station in stack.cloud.of(EDGE):
        found |= station.place.addresses
    return found


def _served(pod: Pod, stack: Stack) -> set[int]:
    """Return the container ports to which Services lead: Kong's listeners do not say them."""
    return {
        number
        for service in stack.services_of(pod)
        for port in service.ports
        if port.port == 443 and (number := pod.port_number(port.target)) is not None
    }
