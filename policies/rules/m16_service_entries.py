"""M16: names that are added to the mesh are the outside hosts of the topology."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any, ClassVar, Final

from policies.checks import at
from policies.layers import FRONT, Layer, Layers, layers_of
from policies.proof import trails_of
from policies.reading.patterns import meet_hosts
from policies.reading.private_hosts import exits_of
from policies.reading.resource import Resource
from policies.reading.services import CLUSTER_DOMAIN, host_of
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity
from topology.edges import Direction
from topology.model.system import Egress, OutsideProtocol

EVERYWHERE: Final = "*"
RESERVED: Final = IPv4Network("240.0.0.0/4")
"""Addresses that no machine has (RFC 1112, 4)."""
TAKEN: Final = (IPv4Network("240.240.0.0/16"), IPv4Network("255.255.255.255/32"))
"""Of these, what istiod gives to hosts by itself, and the broadcast address.

https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/#address-auto-allocation
"""
RESOLVED: Final = frozenset({"DNS", "DNS_ROUND_ROBIN"})
"""Resolutions that ask for a host's own name."""


class M16(ResourceRule):
    """A ServiceEntry names one declared outside host, or the other side of a bridge.

    Forbids:
        Hosts with a wildcard; the system's own public hosts; names of the cluster; hosts that no `egress` of the topology names,
        and hosts on the other side of a bridge to which no call goes; ports on which the topology does not call them; `addresses`,
        but for hosts that are called over TCP, which have one of 240.0.0.0/4 each, and the protocol TCP; resolutions other than DNS, `MESH_INTERNAL` for outside hosts, and
        workload selectors; two entries for one host or address in a mesh; endpoints, but for the other side of a bridge; `subjectAltNames` that are not its
        hosts; a ServiceEntry that every namespace sees.

    Why:
        A ServiceEntry says where a name leads, for everybody who sees it. One for the public host is a way from inside back
        through the front door; one for a name of the cluster takes a service's calls over; one for `*` undoes
        REGISTRY_ONLY. With resolution NONE the caller's own address counts, and a range of addresses catches calls to pods.
        Below HTTP nothing names a host but the address: one entry without an address takes all connections to its port.

    Instead:
        Declare the host under `egress`; what follows is an entry that its callers and the egress gateway see::

            spec:
              hosts: [api.rates.example]
              exportTo: [".", shop]
              location: MESH_EXTERNAL
              resolution: DNS
              ports: [{number: 443, name: tls, protocol: TLS}]
    """

    id = "M16"
    name = "service-entries-are-declared-exits"
    severity = Severity.HIGH
    frameworks = ("ISTIO-SECURITY-2026-002",)
    kinds: ClassVar = ("ServiceEntry", "ServiceEntryPatch")

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one ServiceEntry."""
        layers = layers_of(stack)
        endpoints: list[Mapping[str, Any]] = resource.at("spec", "endpoints", default=[])
        for host in resource.at("spec", "hosts", default=[]):
            yield from self._host(resource, str(host).lower(), endpoints, stack, layers)
        yield from self._ports(resource, stack)
        for endpoint in endpoints:
            yield from self._endpoint(resource, str(endpoint.get("address", "")), stack, layers)
        yield from self._addresses(resource, stack)
        yield from self._rivals(resource, stack)
        if resource.at("spec", "resolution", default="NONE") == "NONE":
            yield self.broken(resource, "with resolution NONE the caller chooses the address that its hosts lead to", "set resolution: DNS")
        if resource.at("spec", "workloadSelector", default=None):
            yield self.broken(resource, "its workloadSelector makes pods answer for its hosts", "remove workloadSelector")
        hosts = resource.at("spec", "hosts", default=[])
        if names := set(resource.at("spec", "subjectAltNames", default=[])) - set(hosts):
            yield self.broken(resource, f"whoever proves {', '.join(sorted(names))} may answer for its hosts", "remove subjectAltNames")
        exported = resource.at("spec", "exportTo", default=[])
        if not exported or EVERYWHERE in exported:
            yield self.broken(resource, "every namespace sees it (exportTo)", "name the namespaces of its callers in exportTo")

    def _addresses(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that a host called over TCP has an address that nobody else has, and any other host none."""
        hosts = {str(host).lower() for host in resource.at("spec", "hosts", default=[])}
        addresses: list[str] = resource.at("spec", "addresses", default=[])
        exits = [exit_ for exit_ in exits_of(stack, stack.readers(resource)).values() if exit_.host in hosts]
        yield from self._outside(resource, exits)
        if not any(exit_.protocol is OutsideProtocol.TCP for exit_ in exits):
            if addresses:
                yield self.broken(
                    resource, f"it takes calls to the addresses {', '.join(addresses)}, whatever name they were made by", "remove addresses"
                )
            return
        if len(addresses) != 1 or not _is_virtual(addresses[0]):
            taken = f"calls to {', '.join(addresses)}" if addresses else "every connection to its port, whatever its address,"
            yield self.broken(
                resource,
                f"it takes {taken} for calls to {', '.join(sorted(hosts))}",
                f"give it one address of {RESERVED}, which nobody has",
            )
        for port in resource.at("spec", "ports", default=[]):
            if str(port.get("protocol") or "").upper() != "TCP":
                yield self.broken(
                    resource,
                    f"proxies look into what goes to its port {port.get('number')} (protocol {port.get('protocol') or 'not said'}), "
                    "and lead a part of it past the routes for bytes",
                    "set protocol: TCP",
                )

    def _outside(self, resource: Resource, exits: list[Egress]) -> Iterator[Finding]:
        """Check that an entry for hosts of the topology says that they are outside, under their own names."""
        if exits and resource.at("spec", "location", default="MESH_EXTERNAL") != "MESH_EXTERNAL":
            yield self.broken(resource, "proxies take its hosts for members of the mesh", "set location: MESH_EXTERNAL")
        if exits and (how := resource.at("spec", "resolution", default="NONE")) not in {*RESOLVED, "NONE"}:
            yield self.broken(resource, f"with resolution {how} nobody asks where its hosts are", "set resolution: DNS")

    def _rivals(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that no other entry in the same mesh takes the same calls: which of them holds depends on their age."""
        own = next((entry for entry in stack.traffic.entries if entry.resource is resource), None)
        readers = {*stack.readers(resource)}
        for other in stack.traffic.entries:
            if own is None or other.resource.urn <= resource.urn or not readers & {*stack.readers(other.resource)}:
                continue
            if shared := sorted({*own.addresses, *own.hosts} & {*other.addresses, *other.hosts}):
                yield self.broken(
                    resource,
                    f"calls to {', '.join(shared)} are for it and for {other.resource}",
                    "keep one entry for a host, and give each host an address of its own",
                )

    def _ports(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that a declared host is called where the topology says that it speaks TLS, and the other side of a bridge where calls cross."""
        hosts = resource.at("spec", "hosts", default=[])
        declared = {exit_.port for exit_ in stack.intent.egress.values() if exit_.host in hosts}
        declared |= {port for _, port in _crossed(stack, resource)}
        for port in resource.at("spec", "ports", default=[]) if declared else ():
            if (number := port.get("targetPort") or port.get("number")) not in declared:
                yield self.broken(
                    resource, f"it makes port {number} of its hosts callable, which no egress or bridge names", "remove the port"
                )

    def _host(self, resource: Resource, host: str, endpoints: list[Mapping[str, Any]], stack: Stack, layers: Layers) -> Iterator[Finding]:
        declared = {exit_.host for exit_ in stack.intent.egress.values()}
        if any(meet_hosts(host, public) for public in stack.intent.public_hosts()):
            yield self.broken(
                resource, f"it covers {host}, a public host of this system: a way from inside back through the front door", "remove it"
            )
        elif "*" in host:
            yield self.broken(resource, f"it covers {host}: hosts that nobody declared", "name each host under egress in the topology")
        elif host.endswith(f".{CLUSTER_DOMAIN}") or "." not in host or _is_service(host, resource, stack):
            yield self.broken(resource, f"it covers {host}, a name of the cluster: it takes that service's calls over", "remove it")
        elif host in declared:
            return
        elif not self._is_bridge(resource, endpoints, stack, layers):
            yield self.broken(
                resource,
                f"it makes {host} callable, which no egress of the topology names",
                "declare the host under egress in the topology",
            )
        elif not _bridge_is_broken(stack) and host not in {passed for passed, _ in _crossed(stack, resource)}:
            yield self.broken(
                resource,
                f"it makes {host} callable on the other side of the bridge, and no call between meshes goes there",
                "remove the host",
            )

    def _endpoint(self, resource: Resource, address: str, stack: Stack, layers: Layers) -> Iterator[Finding]:
        layer = layers.service_at(address, resource.namespace)
        if layer in FRONT:
            yield self.broken(
                resource, f"its endpoint {address} is {layer}: a way from inside back through the front door", "remove the endpoint"
            )
        elif layer is None and _is_service(address, resource, stack):
            yield self.broken(
                resource, f"its endpoint {address} is a service: an alias past the service's own routes", "remove the endpoint"
            )
        elif _is_address(address):
            yield self.broken(resource, f"its endpoint is the address {address}", "remove the endpoint; the host's own name is resolved")
        elif layer is not Layer.BRIDGE:
            yield self.broken(
                resource, f"its endpoint {address} answers for its hosts", "remove the endpoint; the host's own name is resolved"
            )

    @staticmethod
    def _is_bridge(resource: Resource, endpoints: list[Mapping[str, Any]], stack: Stack, layers: Layers) -> bool:
        """Say whether an entry leads from one side of a bridge to the other: seen by this side alone, and only there."""
        here = {layers.pods.get(pod) for pod in stack.pods.of_namespace(resource.namespace)}
        there = {layers.service_at(str(at(endpoint, "address", default="")), resource.namespace) for endpoint in endpoints}
        return Layer.BRIDGE in here and there == {Layer.BRIDGE}


def _bridge_is_broken(stack: Stack) -> bool:
    """Say whether some call between meshes is refused: B03 says where, and until then it is not known which hosts such calls need."""
    return any(edge.direction is Direction.BRIDGE and stack.ways.refused(edge) for edge in stack.expected)


def _crossed(stack: Stack, entry: Resource) -> set[tuple[str, int]]:
    """Return the hosts and ports of a ServiceEntry by which calls go from one mesh to another: the walk writes both on that hop."""
    hops = {hop for _, trail in trails_of(stack, Direction.BRIDGE) for hop in trail.hops if hop.urn == entry.urn}
    return {(host, int(port)) for host, _, port in (hop.allowed_by.rpartition(":") for hop in hops)}


def _is_service(host: str, resource: Resource, stack: Stack) -> bool:
    meant = host_of(host, resource.namespace)
    return meant is not None and stack.service(meant[1], meant[0]) is not None


def _is_virtual(text: str) -> bool:
    try:
        address = IPv4Address(text)
    except ValueError:
        return False
    return address in RESERVED and not any(address in taken for taken in TAKEN)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
