"""M17: the mesh's own doors take nobody's word for who they are."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from policies.checks import attempt
from policies.layers import Layer, layers_of
from policies.reading.istio_gateways import MeshGateway, MeshServer
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.reading.values import sequence
from policies.rule import Finding, Rule, Severity

MODES: Final[Mapping[Layer, frozenset[str]]] = {
    Layer.INGRESS: frozenset({"MUTUAL"}),
    Layer.EGRESS: frozenset({"ISTIO_MUTUAL"}),
    Layer.BRIDGE: frozenset({"ISTIO_MUTUAL", "MUTUAL"}),
}
"""TLS modes with which each of a mesh's gateways knows who calls it."""

CONSEQUENCES: Final[Mapping[str, str]] = {
    "": "it takes plaintext",
    "SIMPLE": "it asks callers for no certificate",
    "OPTIONAL_MUTUAL": "callers may leave their certificate out",
    "PASSTHROUGH": "it passes TLS on unread: no policy sees caller or path",
    "AUTO_PASSTHROUGH": "it passes TLS on to whatever service the caller names (CVE-2021-31921)",
    "ISTIO_MUTUAL": "it takes certificates of the mesh: any service could come in here",
}

OLD: Final = frozenset({"TLSV1_0", "TLSV1_1"})

SPIFFE: Final = "spiffe://"
"""How an identity begins in a certificate; policies leave it out."""


class M17(Rule):
    """Istio Gateways name their hosts, ask for a certificate, and configure only their own namespace's pods.

    Forbids:
        `*` and wildcards among hosts; hosts to which other namespaces may bind routes (without `./`); on the mesh ingress any TLS mode but MUTUAL, on egress gateway and bridge any that does not
        ask for a certificate; MUTUAL without the names that it takes (`subjectAltNames`), or with
        one that no policy of the gateway lets ask anything; AUTO_PASSTHROUGH and PASSTHROUGH; two servers for one host on one port; TLS below 1.2; `insecureSkipVerify`; a Gateway that selects
        pods of another namespace, sidecars, or nothing.

    Why:
        The mesh ingress stands behind the API gateway and trusts its word about the client; with SIMPLE anybody who reaches its
        address gives that word. AUTO_PASSTHROUGH lets the caller choose the service by SNI, past every policy of a route
        (CVE-2021-31921). Istio applies a Gateway to matching pods of every namespace, so whoever may write one anywhere
        may open a server on the ingress.

    Instead:
        One server, its hosts, and the API gateway's certificate::

            spec:
              selector: {istio: ingress}
              servers:
                - port: {number: 443, name: https, protocol: HTTPS}
                  hosts: [./api.shop.example]
                  tls: {mode: MUTUAL, credentialName: ingress-server, subjectAltNames: ["spiffe://boundary/ns/gateway/sa/gateway"]}
    """

    id = "M17"
    name = "mesh-gateways-ask-for-certificates"
    severity = Severity.CRITICAL
    frameworks = ("CVE-2021-31921", "Istio security best practices")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every Istio Gateway."""
        layers = layers_of(stack)
        for gateway in stack.mesh_gateways:
            its = {layers.pods.get(pod) for pod in gateway.pods}
            yield from attempt(self, gateway.resource, self._gateway(gateway, its))
            yield from attempt(self, gateway.resource, self._callers(gateway, stack))
        yield from self._twice(stack)

    def _twice(self, stack: Stack) -> Iterator[Finding]:
        """Check that one server alone answers to a name on a port: Istio leaves out the younger (`MergeGateways` in pilot/pkg/model/gateway.go)."""
        seen: dict[tuple[Pod, int, str], tuple[MeshGateway, MeshServer]] = {}
        found: dict[tuple[MeshGateway, MeshGateway, str], None] = {}
        for gateway in stack.mesh_gateways:
            for server in filter(lambda each: each.mode, gateway.servers):
                for pod, host in product(gateway.pods, server.hosts):
                    first, its = seen.setdefault((pod, server.number, host), (gateway, server))
                    if its is not server:
                        found[first, gateway, host] = None
        for first, gateway, host in found:
            yield self.broken(
                gateway.resource, f"a server of it answers to {host}, and so does one of {first}: the younger one is left out", "keep one"
            )

    def _callers(self, gateway: MeshGateway, stack: Stack) -> Iterator[Finding]:
        """Check that nobody may connect whom no policy of the gateway's pods lets ask anything."""
        guards = [guard for pod in gateway.pods if (guard := stack.guard(pod)) is not None]
        asking = {principal for guard in guards for grant in guard.allow or () for principal in grant.exact_principals() or ()}
        for index, server in enumerate(gateway.servers):
            named = [str(name) for name in sequence(server.tls.get("subjectAltNames"))]
            identities = [name.removeprefix(SPIFFE) for name in named if name.startswith(SPIFFE)]
            for stranger in sorted(set(identities) - asking) if asking else ():
                yield self.broken(
                    gateway.resource,
                    f"servers[{index}] lets {stranger} connect, whom no policy lets ask anything",
                    "name the layer before it alone in subjectAltNames",
                )

    def _gateway(self, gateway: MeshGateway, layers: set[Layer | None]) -> Iterator[Finding]:
        resource = gateway.resource
        if not gateway.pods:
            yield self.broken(
                resource, "it selects no pod of a mesh: whoever starts one with these labels becomes a gateway", "select the gateway's pods"
            )
        for namespace in sorted({pod.namespace for pod in gateway.pods} - {resource.namespace}):
            yield self.broken(resource, f"it configures pods of another namespace ({namespace})", "put it beside its pods")
        if None in layers or Layer.LIMITER in layers:
            yield self.broken(resource, "it makes pods a gateway that are none", "select the gateway's pods")
        for index, server in enumerate(gateway.servers):
            for layer in sorted(layers - {None, Layer.LIMITER}, key=str) or [None]:
                yield from self._server(gateway, f"servers[{index}]", server, layer)

    def _server(self, gateway: MeshGateway, where: str, server: MeshServer, layer: Layer | None) -> Iterator[Finding]:
        resource = gateway.resource
        for host in server.hosts:
            if "*" in host:
                yield self.broken(resource, f"{where} answers to {host}: hosts that nobody declared", "name each host")
        for namespace in sorted({*server.namespaces} - {".", resource.namespace}):
            whose = "every namespace that istiod looks at" if namespace == "*" else f"namespace {namespace}"
            yield self.broken(
                resource,
                f"{where} takes routes from {whose}: whoever writes a VirtualService there chooses where requests go",
                "write ./ before the host",
            )
        allowed = MODES.get(layer, MODES[Layer.BRIDGE]) if layer else MODES[Layer.BRIDGE]
        if server.mode not in allowed:
            consequence = CONSEQUENCES.get(server.mode, "its mode is not known")
            yield self.broken(
                resource,
                f"{where} has TLS mode {server.mode or 'none'}: {consequence}",
                f"set tls.mode to {' or '.join(sorted(allowed))}",
            )
        if server.mode == "MUTUAL" and not (
            server.tls.get("credentialName") or server.tls.get("credentialNames") or server.tls.get("caCertificates")
        ):
            yield self.broken(resource, f"{where} does not say which authority signs its callers' certificates", "set credentialName")
        if server.mode == "MUTUAL" and not server.tls.get("subjectAltNames"):
            yield self.broken(
                resource, f"{where} takes any certificate of its authority", "name who connects in subjectAltNames: the layer before it"
            )
        for bound in ("minProtocolVersion", "maxProtocolVersion"):
            if (version := server.tls.get(bound)) in OLD:
                yield self.broken(resource, f"{where} speaks {version} ({bound})", f"set {bound} to TLSV1_2 or TLSV1_3, or remove it")
        if server.tls.get("insecureSkipVerify"):
            yield self.broken(resource, f"{where} does not verify its callers' certificates", "remove insecureSkipVerify")
