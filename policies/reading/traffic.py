"""The route level inside the mesh: which names a proxy knows, and where it sends what is asked of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.meshes import Mesh, Proxy
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.selectors import matches_labels
from policies.reading.services import CLUSTER_DOMAIN, Service
from policies.reading.surroundings import Surroundings
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.reading.virtual_services import MESH, Route, full_host, gateways_of, hosts_of, routes_of

ISTIO_NETWORKING: Final = "networking.istio.io"


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceEntry:
    """A name that Istio adds to what Kubernetes knows."""

    resource: Resource
    hosts: tuple[str, ...]
    ports: tuple[tuple[int, int, str], ...]
    """Port, target port and protocol."""
    addresses: tuple[str, ...]
    """Under which proxies take calls for it; none: below HTTP, under every address that nothing else has."""
    external: bool
    endpoints: tuple[tuple[str, Mapping[str, int]], ...]
    """Address and its ports by name."""

    def port(self, number: int) -> tuple[int, int, str] | None:
        """Return a port by number."""
        return next((port for port in self.ports if port[0] == number), None)


class Traffic:
    """VirtualServices, DestinationRules, ServiceEntries and Sidecars of a stack."""

    def __init__(self, of: Callable[[str], Iterable[Resource]], around: Surroundings) -> None:
        """Index by host; `of` gives the Istio objects of a kind. What cannot be read is noted."""
        self._around = around
        self._member = around.member
        self._virtual: defaultdict[str, list[Resource]] = defaultdict(list)
        self._bound: defaultdict[str, list[Resource]] = defaultdict(list)
        self._rules: defaultdict[str, list[Resource]] = defaultdict(list)
        self._entries: defaultdict[str, list[ServiceEntry]] = defaultdict(list)
        self._own_sidecars: defaultdict[Pod, list[Resource]] = defaultdict(list)
        self._sidecars_of_namespace: defaultdict[str, list[Resource]] = defaultdict(list)
        readers: dict[str, Callable[[Resource], None]] = {
            "VirtualService": self._add_virtual,
            "DestinationRule": self._add_rule,
            "ServiceEntry": self._add_entry,
            "Sidecar": self._add_sidecar,
        }
        for kind, read in readers.items():
            for resource in of(kind):
                around.reading(resource, read)

    def _add_virtual(self, resource: Resource) -> None:
        gateways = gateways_of(resource)
        for gateway in gateways:
            if gateway == MESH:
                for host in hosts_of(resource):
                    self._virtual[host].append(resource)
            else:
                self._bound[gateway].append(resource)

    def _add_rule(self, resource: Resource) -> None:
        self._rules[full_host(resource.at("spec", "host"), resource.namespace)].append(resource)

    def _add_entry(self, resource: Resource) -> None:
        ports = tuple(
            (port["number"], port.get("targetPort") or port["number"], str(port.get("protocol", "")).lower())
            for port in resource.at("spec", "ports", default=[])
        )
        entry = ServiceEntry(
            resource=resource,
            hosts=tuple(host.lower() for host in resource.at("spec", "hosts", default=[])),
            ports=ports,
            addresses=tuple(resource.at("spec", "addresses", default=[])),
            external=resource.at("spec", "location", default="MESH_EXTERNAL") == "MESH_EXTERNAL",
            endpoints=tuple((each["address"], mapping(each.get("ports"))) for each in resource.at("spec", "endpoints", default=[])),
        )
        for host in entry.hosts:
            self._entries[host].append(entry)

    # Visibility

    def visible(self, resource: Resource, namespace: str, mesh: Mesh) -> bool:
        """Say whether an object is read by a mesh's istiod and exported to a namespace (`exportTo`, then the mesh's default)."""
        if not (mesh.reads(resource) and mesh.discovers(self._around.namespace(resource.namespace))):
            return False
        exported: list[str] = resource.at("spec", "exportTo", default=[])
        defaults = {
            "VirtualService": "defaultVirtualServiceExportTo",
            "DestinationRule": "defaultDestinationRuleExportTo",
            "ServiceEntry": "defaultServiceExportTo",
        }
        exported = exported or mesh.config.get(defaults[resource.kind]) or ["*"]
        return any(each in {"*", namespace} or (each == "." and resource.namespace == namespace) for each in exported)

    def _add_sidecar(self, resource: Resource) -> None:
        labels = resource.at("spec", "workloadSelector", "labels", default={})
        if not labels:
            self._sidecars_of_namespace[resource.namespace].append(resource)
            return
        for pod in self._around.pods.with_labels(resource.namespace, labels):
            self._own_sidecars[pod].append(resource)

    def sidecar(self, pod: Pod) -> Resource | None:
        """Return the Sidecar resource that holds for a pod; the first of several, of which Istio takes the oldest."""
        return next(iter(self.sidecars(pod)), None)

    def sidecars(self, pod: Pod) -> tuple[Resource, ...]:
        """Return the Sidecar resources that select a pod most closely: its own, else its namespace's, else the root namespace's."""
        member = self._member(pod)
        if member is None or member[1] is Proxy.GATEWAY:
            return ()  # Sidecar resources do not apply to gateways.
        own = self._own_sidecars.get(pod) or self._sidecars_of_namespace.get(pod.namespace)
        return tuple(own or self._sidecars_of_namespace.get(member[0].root_namespace) or ())

    def sees(self, pod: Pod, namespace: str, host: str) -> bool:
        """Say whether a pod's proxy is told about a host of a namespace (`egress.hosts` of its Sidecar; without one, everything)."""
        sidecar = self.sidecar(pod)
        if sidecar is None:
            return True
        egress: list[Mapping[str, Any]] = sidecar.at("spec", "egress", default=[])
        if not egress:
            return True
        hosts = [each for listener in egress for each in sequence(listener.get("hosts"))]
        own = pod.namespace
        if any(_sidecar_host(each.removeprefix("~"), namespace, host, own) for each in hosts if each.startswith("~") and each != "~/*"):
            return False
        return any(_sidecar_host(each, namespace, host, own) for each in hosts if not each.startswith("~"))

    # Names

    def entry(self, host: str, namespace: str, mesh: Mesh) -> ServiceEntry | None:
        """Return the ServiceEntry for a host that is visible from a namespace: an exact host before a wildcard."""
        for name in _and_wildcards(host):
            for entry in self._entries.get(name, ()):
                if self.visible(entry.resource, namespace, mesh):
                    return entry
        return None

    @property
    def entries(self) -> Iterator[ServiceEntry]:
        """Yield every ServiceEntry once."""
        seen: set[Resource] = set()
        for entries in self._entries.values():
            for entry in entries:
                if entry.resource not in seen:
                    seen.add(entry.resource)
                    yield entry

    def service(self, host: str) -> Service | None:
        """Return the Service that a full host name means."""
        suffix = f".svc.{CLUSTER_DOMAIN}"
        if not host.endswith(suffix):
            return None
        name, _, namespace = host.removesuffix(suffix).partition(".")
        return self._around.service(namespace, name)

    # Routes

    def mesh_services(self, host: str, namespace: str, mesh: Mesh) -> list[Resource]:
        """Return the VirtualServices that sidecars of a namespace apply to a host."""
        return [
            resource for name in _and_wildcards(host) for resource in self._virtual.get(name, ()) if self.visible(resource, namespace, mesh)
        ]

    def mesh_routes(self, pod: Pod, host: str, port: int) -> list[Route]:
        """Return the routes by which a pod's sidecar decides about a host and port, in order; none: straight to the host.

        Raises:
            UnknownValueError: for a route that cannot be read.
        """
        member = self._member(pod)
        if member is None:
            return []
        found = self.mesh_services(host, pod.namespace, member[0])
        return [
            route
            for resource in found
            for route in routes_of(resource)
            if MESH in route.gateways
            and route.port in {None, port}
            and route.source_namespace in {"", pod.namespace}
            and matches_labels(route.source_labels, pod.labels)
        ]

    def gateway_services(self, gateway: str, namespace: str, mesh: Mesh) -> list[Resource]:
        """Return the VirtualServices bound to an Istio Gateway (`namespace/name`), visible to the gateway's pods' namespace."""
        return [resource for resource in self._bound.get(gateway, ()) if self.visible(resource, namespace, mesh)]

    def rules(self, host: str, namespace: str, mesh: Mesh) -> list[Resource]:
        """Return the DestinationRules for a host that clients of a namespace apply: of their own namespace, else of any visible one."""
        found = [r for name in _and_wildcards(host) for r in self._rules.get(name, ()) if self.visible(r, namespace, mesh)]
        own = [rule for rule in found if rule.namespace == namespace]
        return own or found

    def applied(self, pod: Pod, host: str) -> list[Resource]:
        """Return the DestinationRules for a host that a pod's own proxy applies: those whose `workloadSelector` means it."""
        member = self._member(pod)
        return [
            rule
            for rule in (self.rules(host, pod.namespace, member[0]) if member else ())
            if matches_labels(rule.at("spec", "workloadSelector", "matchLabels", default={}), pod.labels)
        ]

    def client_tls(self, pod: Pod, host: str, port: int, subset: str = "") -> tuple[Mapping[str, Any], Resource | None]:
        """Return the `tls` settings with which a pod's proxy calls a host and port, and the DestinationRule that says so.

        Raises:
            UnknownValueError: if they are not known.
        """
        applied = self.applied(pod, host)
        hosts = [full_host(rule.at("spec", "host"), rule.namespace) for rule in applied if rule.at("spec", "trafficPolicy", default={})]
        if len(hosts) > len(set(hosts)):
            raise UnknownValueError(str(applied[0]), "one of several for its host, of which Istio takes the policy of the oldest")
        if len(_defining(applied, subset)) > 1:
            raise UnknownValueError(f"subset {subset} of {host}", "defined more than once, of which Istio takes the oldest")
        for rule in applied:
            policies = [rule.at("spec", "trafficPolicy", default={})]
            policies += [mapping(each.get("trafficPolicy")) for each in rule.at("spec", "subsets", default=[]) if each["name"] == subset]
            for policy in reversed(policies):
                levels = [each for each in sequence(policy.get("portLevelSettings")) if mapping(each.get("port")).get("number") == port]
                for settings in (*levels, policy):
                    if settings.get("tls"):
                        return settings["tls"], rule
        return {}, None

    def subset_labels(self, pod: Pod, host: str, subset: str) -> Mapping[str, str]:
        """Return the labels that a subset asks of pods; none where there is no subset.

        Raises:
            UnknownValueError: if no visible DestinationRule defines the subset: then nothing answers.
        """
        member = self._member(pod)
        if not subset or member is None:
            return {}
        for rule in self.rules(host, pod.namespace, member[0]):
            for each in rule.at("spec", "subsets", default=[]):
                if each["name"] == subset:
                    return mapping(each.get("labels"))
        raise UnknownValueError(f"subset {subset} of {host}", "a subset that no visible DestinationRule defines")


def _defining(rules: Iterable[Resource], subset: str) -> list[Mapping[str, Any]]:
    """Return the definitions of a subset."""
    return [each for rule in rules for each in rule.at("spec", "subsets", default=[]) if subset and each["name"] == subset]


def _sidecar_host(pattern: str, namespace: str, host: str, own: str) -> bool:
    where, _, name = pattern.partition("/")
    if where == "~" or (where == "." and namespace != own) or (where not in {"*", ".", namespace}):
        return False
    return name in {"*", host} or (name.startswith("*.") and host.endswith(name[1:]))


def _and_wildcards(host: str) -> Iterator[str]:
    """Yield a host and the wildcards that cover it, the nearest first."""
    yield host
    rest = host
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"
    yield "*"
