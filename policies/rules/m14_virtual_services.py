"""M14: routes belong to whom they route to, and gateways lead to what is exposed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar, Final

from policies.checks import at, attempt
from policies.layers import Layer, Layers, Workload, layers_of, workload, workload_of
from policies.reading.compare import pattern_of
from policies.reading.patterns import Pattern
from policies.reading.resource import Resource
from policies.reading.services import host_of
from policies.reading.stack import Stack
from policies.reading.values import mapping, sequence
from policies.reading.virtual_services import MESH, Route, full_host, gateways_of, hosts_of, routes_of
from policies.rule import Finding, Rule, Severity
from topology.edges import ANY_METHOD, Direction, Edge

EVERYWHERE: Final = "*"
OWN: Final = "."


class M14(Rule):
    """A VirtualService on a gateway leads to services with a door; one for sidecars speaks for hosts of its own namespace.

    Forbids:
        VirtualServices bound to the mesh ingress that lead to a service without a door for these requests, to the egress gateway
        that lead elsewhere than to the host asked for, or to the bridge that lead to a service which no bridge names; routes of
        sidecars that lead to another host than the one called, its egress gateway apart; copies of requests (`mirror`, `mirrors`)
        or failures (`fault`) that the topology does not declare; another `Host`, method or path written as a header, another `rewrite.authority`;
        two VirtualServices for one host at one gateway; VirtualServices and DestinationRules for hosts of another namespace, or with a wildcard; `exportTo` that is absent, `*`,
        or names a namespace from which nobody calls.

    Why:
        A VirtualService redirects a host for every sidecar that sees it, whoever wrote it: with write access to one namespace
        an attacker takes over calls to any service (ISTIO-SECURITY-2026-002, not fixed by design). On the ingress one
        route more is one door more, with the API gateway's checks of another door. A copy, or one request in a hundred, that is
        sent elsewhere leaves every allowed call in order: only the route shows it, and whether the receiver refuses it is that
        receiver's affair. Waits, retries, pools of connections and ejection are not judged: they move no call anywhere.

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
            yield from attempt(self, resource, self._rivals(resource, owners))
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
        yield from self._headers(resource)
        yield from self._faults(resource, owners)
        found: dict[tuple[str, str], None] = {}
        for route in routes_of(resource):
            found.update(dict.fromkeys(owners.astray(route, hosts)))
        for message, fix in found:
            if fix:
                yield self.broken(resource, message, fix)
            else:
                yield self.undecided(resource, message, "bind it to a Gateway of the program")

    def _rivals(self, resource: Resource, owners: "_Owners") -> Iterator[Finding]:
        """Check that no other VirtualService routes the same host at the same gateway: which of them comes first depends on their age."""
        told: set[Resource] = set()
        for gateway, host in sorted(_spoken_for(resource)):
            for other in owners.rivals(resource, gateway, host):
                if other not in told:
                    told.add(other)
                    where = "sidecars" if gateway == MESH else f"the Gateway {gateway}"
                    message = f"it routes {host} on {where}, and so does {other}: which comes first depends on their age"
                    yield self.undecided(resource, message, "write the routes of a host in one VirtualService")

    def _headers(self, resource: Resource) -> Iterator[Finding]:
        for rule in resource.at("spec", "http", default=[]):
            for part in (rule, *sequence(rule.get("route"))):
                request = mapping(mapping(mapping(part).get("headers")).get("request"))
                for name in (*mapping(request.get("set")), *mapping(request.get("add"))):
                    if name.startswith(":") or name.lower() == "host":
                        yield self.broken(resource, f"it writes {name} into requests that were checked with another", "remove the header")

    def _faults(self, resource: Resource, owners: "_Owners") -> Iterator[Finding]:
        for rule in map(mapping, resource.at("spec", "http", default=[])):
            led = [at(mapping(each), "destination", "host", default="") for each in sequence(rule.get("route"))]
            if rule.get("fault") and not (led and all(owners.fails(host, resource.namespace) for host in led)):
                yield self.broken(resource, "it makes calls fail on purpose, which no `faults` of the topology say", "remove fault")

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


def _spoken_for(resource: Resource) -> set[tuple[str, str]]:
    """Return the gateways, with the hosts, at which a VirtualService routes."""
    return {(gateway, host) for gateway in gateways_of(resource) for host in hosts_of(resource)}


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
        self.exits = {exit_.host for exit_ in stack.intent.egress.values()}
        t = stack.intent
        self.failing = frozenset((t.namespace_of(name), name) for name, service in t.services.items() if service.faults)

    @cached_property
    def _speakers(self) -> Mapping[tuple[str, str], list[Resource]]:
        found: defaultdict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in self.stack.of("VirtualService.networking.istio.io"):
            for place in self.stack.reading(resource, lambda resource=resource: _spoken_for(resource)) or ():
                found[place].append(resource)
        return found

    def rivals(self, resource: Resource, gateway: str, host: str) -> Iterator[Resource]:
        """Yield the VirtualServices after one that route the same host at the same gateway for some proxy of the same mesh."""
        readers = {*self.stack.readers(resource)}
        for other in self._speakers.get((gateway, host), ()):
            if other.urn > resource.urn and readers & {*self.stack.readers(other)}:
                yield other

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

    def fails(self, host: str, namespace: str) -> bool:
        """Say whether the topology makes calls to a host fail on purpose."""
        return bool(self.failing & self.workloads(host, namespace))

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

    def astray(self, route: Route, hosts: list[str]) -> Iterator[tuple[str, str]]:
        """Yield where a route of a VirtualService leads that it must not lead to, and what to do; nothing to do where it is not known."""
        served = {destination.host for destination in route.destinations if not destination.mirror}
        authority = route.rewriting.authority
        if authority and full_host(authority, route.resource.namespace) not in {*hosts, *served}:
            yield f"it sends requests on as requests to {authority}", "remove rewrite.authority"
        for destination in route.destinations:
            if destination.mirror and not (destination.host in served and self._mirrors(destination.host)):
                yield f"it sends copies of requests to {destination.host}, which no mirror of the topology says", "remove the mirror"
                continue
            for gateway in route.gateways:
                yield from self._led(route, gateway, destination.host, hosts)

    def _led(self, route: Route, gateway: str, host: str, hosts: list[str]) -> Iterator[tuple[str, str]]:
        if gateway == MESH:
            outside = self.layers.service_at(host, "") is Layer.EGRESS and self.exits.issuperset(hosts)
            if host not in hosts and not outside:
                yield f"it sends calls to {', '.join(hosts)} to {host}", "route a host to its own service"
            return
        layers = self.gateways.get(gateway)
        if layers is None:
            yield f"it is bound to the Gateway {gateway}, which this stack does not show", ""
        for layer in layers or ():
            if reason := self._objection(layer, route, host, hosts):
                message = f"through {layer or f'the Gateway {gateway}'} it leads to {host}, {reason}"
                yield message, "declare the door, bridge or egress in the topology, or remove the route"

    def _mirrors(self, host: str) -> bool:
        """Say whether the topology copies requests to a service; which version gets how many, M27 says."""
        t, behind = self.stack.intent, self.workloads(host, "")
        return bool(behind) and behind <= {(t.namespace_of(name), name) for name, service in t.services.items() if service.mirror}

    def _objection(self, layer: Layer | None, route: Route, host: str, hosts: list[str]) -> str:
        """Return why a gateway must not lead to a host; empty where it may."""
        namespace = route.resource.namespace
        behind = self.workloads(host, namespace)
        match layer:
            case Layer.INGRESS:
                if not (behind and behind <= self.layers.doors):
                    return "which no door of the topology leads to"
                return "" if behind <= self._doors(route, hosts) else "to which no door leads for these requests"
            case Layer.EGRESS:
                if host not in self.exits:
                    return "which is no outside host of the topology"
                return "" if host in hosts else f"where {', '.join(hosts)} was asked for"
            case Layer.BRIDGE:
                if behind:
                    return "" if behind <= self.targets else "which no bridge of the topology names"
                return "" if namespace in self.entries.get(host, ()) else "which is not the other side of a bridge"
            case _:
                return "and the Gateway configures no gateway of a mesh"

    def _doors(self, route: Route, hosts: list[str]) -> set[Workload]:
        """Return the workloads that doors lead to for requests of a route."""
        return {
            target
            for target, edge, entry in self.entrances
            if edge.host in hosts
            and (route.methods is None or edge.method in {ANY_METHOD, *route.methods})
            and any(pattern.meet(entry) is not None for pattern in route.patterns)
        }

    @cached_property
    def entrances(self) -> tuple[tuple[Workload, Edge, Pattern], ...]:
        """Return every door's calls with what they lead to and the paths that clients ask for."""
        edges = [edge for edge in self.stack.expected if edge.direction is Direction.NORTH_SOUTH]
        return tuple((workload_of(edge.target), edge, pattern_of(edge.entry)) for edge in edges)
