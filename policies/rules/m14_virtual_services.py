"""M14: routes belong to whom they route to, and gateways lead to what is exposed."""

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar, Final

from policies.checks import attempt
from policies.layers import Layer, Layers, Workload, layers_of, workload
from policies.reading.resource import Resource
from policies.reading.services import host_of
from policies.reading.stack import Stack
from policies.reading.virtual_services import MESH, Destination, full_host, gateways_of, hosts_of, routes_of
from policies.rule import Finding, Rule, Severity

EVERYWHERE: Final = "*"
OWN: Final = "."


class M14(Rule):
    """A VirtualService on a gateway leads to services with a door; one for sidecars speaks for hosts of its own namespace.

    Forbids:
        VirtualServices bound to the mesh ingress that lead to a service without a door, to the egress gateway that lead inside,
        or to the bridge that lead to a service which no bridge names; VirtualServices and DestinationRules for hosts of another
        namespace, or with a wildcard; `exportTo` that is absent, `*`, or names a namespace from which nobody calls.

    Why:
        A VirtualService redirects a host for every sidecar that sees it, whoever wrote it: with write access to one namespace
        an attacker takes over calls to any service (ISTIO-SECURITY-2026-002, not fixed by design). On the ingress one
        route more is one door more, with the API gateway's checks of another door.

    Instead:
        Keep routes beside their service, and show them to its callers alone::

            kind: VirtualService
            metadata: {name: orders, namespace: shop}
            spec:
              hosts: [orders.shop.svc.cluster.local]
              exportTo: [".", web]
    """

    id = "M14"
    name = "routes-are-owned"
    severity = Severity.CRITICAL
    frameworks = ("ISTIO-SECURITY-2026-002", "C-0266")
    kinds: ClassVar = ("VirtualService", "DestinationRule")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every VirtualService and DestinationRule."""
        owners = _Owners(stack)
        for resource in stack.of("VirtualService.networking.istio.io"):
            yield from attempt(self, resource, self._virtual_service(resource, owners))
        for resource in stack.of("DestinationRule.networking.istio.io"):
            host = stack.reading(resource, lambda resource=resource: full_host(resource.at("spec", "host", default=""), resource.namespace))
            yield from attempt(self, resource, self._owned(resource, [host] if host else [], owners))
            yield from attempt(self, resource, self._exported(resource, [host] if host else [], owners))

    def _virtual_service(self, resource: Resource, owners: "_Owners") -> Iterator[Finding]:
        hosts, gateways = list(hosts_of(resource)), gateways_of(resource)
        if MESH in gateways:
            yield from self._owned(resource, hosts, owners)
        elif any("*" in host for host in hosts):
            yield self.broken(resource, f"it speaks for {', '.join(hosts)}: hosts that nobody declared", "name each host")
        yield from self._exported(resource, hosts, owners)
        seen: set[tuple[str, str]] = set()
        for route in routes_of(resource):
            for gateway in route.gateways:
                for destination in route.destinations if gateway != MESH else ():
                    if (gateway, destination.host) not in seen:
                        seen.add((gateway, destination.host))
                        yield from self._destination(resource, gateway, destination, owners)

    def _owned(self, resource: Resource, hosts: list[str], owners: "_Owners") -> Iterator[Finding]:
        for host in hosts:
            if "*" in host:
                yield self.broken(resource, f"it speaks for {host}: hosts of every namespace", "name one host of its own namespace")
            elif not owners.owns(resource.namespace, host):
                yield self.broken(
                    resource, f"it speaks for {host}, which is not of its namespace", "put it beside the service or the ServiceEntry"
                )

    def _exported(self, resource: Resource, hosts: list[str], owners: "_Owners") -> Iterator[Finding]:
        exported: list[str] = resource.at("spec", "exportTo", default=[])
        if not exported or EVERYWHERE in exported:
            yield self.broken(resource, "every namespace sees it (exportTo)", 'set exportTo: ["."] and add the namespaces of its callers')
            return
        needing = owners.needing(hosts)
        for namespace in exported:
            if namespace not in {OWN, resource.namespace} and needing is not None and namespace not in needing:
                yield self.broken(
                    resource,
                    f"namespace {namespace} sees it, from which nobody calls {', '.join(hosts)}",
                    f"take {namespace} out of exportTo",
                )

    def _destination(self, resource: Resource, gateway: str, destination: Destination, owners: "_Owners") -> Iterator[Finding]:
        layers = owners.gateways.get(gateway)
        if layers is None:
            yield self.undecided(
                resource, f"it is bound to the Gateway {gateway}, which this stack does not show", "bind it to a Gateway of the program"
            )
            return
        for layer in layers:
            if reason := owners.objection(layer, destination.host, resource.namespace):
                yield self.broken(
                    resource,
                    f"through {layer or f'the Gateway {gateway}'} it leads to {destination.host}, {reason}",
                    "declare the door, bridge or egress in the topology, or remove the route",
                )


class _Owners:
    """Whose a host is, who calls it, and where gateways may lead."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.layers: Layers = layers_of(stack)
        self.entries: defaultdict[str, set[str]] = defaultdict(set)
        for entry in stack.of("ServiceEntry.networking.istio.io"):
            for host in stack.reading(entry, lambda entry=entry: list(entry.at("spec", "hosts", default=[]))) or ():
                self.entries[str(host).lower()].add(entry.namespace)
        self.gateways = {gateway.name: {self.layers.pods.get(pod) for pod in gateway.pods} for gateway in stack.mesh_gateways}
        self.places: dict[Layer, set[str]] = {layer: {pod.namespace for pod in self.layers.of(layer)} for layer in Layer}
        self.targets = self.layers.bridge_targets()

    def owns(self, namespace: str, host: str) -> bool:
        """Say whether a host is a Service or a ServiceEntry of a namespace."""
        meant = host_of(host, namespace)
        if meant and meant[1] == namespace and self.stack.service(namespace, meant[0]):
            return True
        return namespace in self.entries.get(host, ())

    def workloads(self, host: str, namespace: str) -> frozenset[Workload]:
        """Return the workloads behind a host of the cluster."""
        meant = host_of(host, namespace)
        service = self.stack.service(meant[1], meant[0]) if meant else None
        return frozenset(workload(pod) for pod in service.pods) if service else frozenset()

    def needing(self, hosts: list[str]) -> set[str] | None:
        """Return the namespaces from which somebody calls one of some hosts; None where that is not known."""
        found: set[str] = set()
        for host in hosts:
            meant = host_of(host, "")
            layer = self.layers.services.get((meant[1], meant[0])) if meant else None
            behind = self.workloads(host, "")
            if layer is Layer.LIMITER:
                found |= {pod.namespace for pod in self.layers.limited}
            elif layer in {Layer.EGRESS, Layer.BRIDGE}:
                sources = self.layers.exits if layer is Layer.EGRESS else self.layers.bridged
                found |= {namespace for namespace, _ in sources}
            elif behind:
                found |= {namespace for each in behind for namespace, _ in self.layers.callers.get(each, ())}
                found |= self.places[Layer.INGRESS] if behind & self.layers.doors else set()
                found |= self.places[Layer.BRIDGE] if behind & self.targets else set()
            elif host in self.entries:
                found |= {namespace for (namespace, _), exits in self.layers.exits.items() if host in exits}
            else:
                return None
        return found

    def objection(self, layer: Layer | None, host: str, namespace: str) -> str:
        """Return why a gateway must not lead to a host; empty where it may."""
        behind = self.workloads(host, namespace)
        match layer:
            case Layer.INGRESS:
                if behind and behind <= self.layers.doors:
                    return ""
                return "which no door of the topology leads to"
            case Layer.EGRESS:
                declared = {exit_.host for exit_ in self.stack.intent.egress.values()}
                return "" if host in declared else "which is no outside host of the topology"
            case Layer.BRIDGE:
                if behind:
                    return "" if behind <= self.targets else "which no bridge of the topology names"
                return "" if namespace in self.entries.get(host, ()) else "which is not the other side of a bridge"
            case _:
                return "and the Gateway configures no gateway of a mesh"
