"""A whole planned stack: what every rule is given."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

from policies.reading import charts, controllers
from policies.reading.authorization import Authorization
from policies.reading.certificates import Certificates
from policies.reading.cloud.joined import cloud_of, clouds_of
from policies.reading.cloud.model import Cloud
from policies.reading.compare import Key, by_key
from policies.reading.envoy_gateway import POLICY_KINDS, EnvoyPolicies
from policies.reading.exposure import Exposure, of_gateway, of_ingress, of_pod, of_service
from policies.reading.gateways import ROUTE_KINDS, ApiGateway, read_gateway
from policies.reading.guards import Guard
from policies.reading.istio_gateways import MeshGateway, mesh_gateway
from policies.reading.kong import KongPlugins
from policies.reading.meshes import Mesh, Proxy, mesh_of
from policies.reading.namespaces import NAME_LABEL, Namespace, namespace_of
from policies.reading.network import Network
from policies.reading.nginx import Nginx, nginx_of
from policies.reading.normalise import has_unknown_identity
from policies.reading.patterns import ByFirst, Pattern, parse
from policies.reading.pods import TEMPLATES, Pod, Pods, pod_of
from policies.reading.read import Observed, observe
from policies.reading.resource import Resource
from policies.reading.selectors import matches_labels
from policies.reading.services import Service, service_of
from policies.reading.surroundings import Surroundings
from policies.reading.traffic import ISTIO_NETWORKING, Traffic
from policies.reading.values import UnknownValueError, mapping
from topology.edges import Edge, edges, identity
from topology.model.base import HostName, Name, VersionName
from topology.model.service import Version
from topology.model.system import Topology
from topology.preflights import Preflight, preflights

T = TypeVar("T")


class Stack:
    """All resources of one plan, with indexes, and what they are held against: the intent, and what the stack file says.

    Views leave out what they cannot read and say so in `unreadable`; the proof rules report that as undecided.
    """

    def __init__(
        self, resources: Iterable[Resource], intent: Topology, *, topology_path: str = "", config: Mapping[str, str] | None = None
    ) -> None:
        """Index the resources once; everything derived from them is computed on first use and shared by all rules.

        Args:
            resources: all of the plan.
            intent: the reviewed topology.
            topology_path: its file, for messages.
            config: the stack's configuration as the engine hands it over, by `namespace:name`; none where nobody knows it.
        """
        self.resources = tuple(resources)
        self.intent = intent
        self.config: Mapping[str, str] = config or {}
        self.topology_path = topology_path
        self._by_kind: defaultdict[str, list[Resource]] = defaultdict(list)
        self._by_key: dict[tuple[str, str, str], Resource] = {}
        self.by_urn: dict[str, Resource] = {}
        self._unreadable: dict[tuple[str, str], tuple[Resource, UnknownValueError]] = {}
        self._members: dict[Pod, tuple[Mesh, Proxy] | None] = {}
        for resource in self.resources:
            self._by_kind[resource.kind].append(resource)
            self._by_key.setdefault((resource.kind, resource.namespace, resource.name), resource)
            self.by_urn.setdefault(resource.urn, resource)

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Yield the resources of some kinds. A kind may be qualified by its group: `Gateway.networking.istio.io`."""
        for kind in kinds:
            plain, _, group = kind.partition(".") if "/" not in kind and ":" not in kind else (kind, "", "")
            for resource in self._by_kind.get(plain, ()):
                if not group or resource.group == group:
                    yield resource

    @property
    def kinds(self) -> Iterable[str]:
        """Return the kinds that some resource has."""
        return self._by_kind.keys()

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        """Return one resource, or None."""
        return self._by_key.get((kind, namespace, name))

    def sources(self, resource: Resource, field: str) -> tuple[Resource, ...]:
        """Return the resources from which a property (at the top) takes its value, as the engine says, each once.

        A source that is not in the plan is left out: who has to know that there is no other asks `property_dependencies` itself.
        """
        urns = dict.fromkeys(resource.property_dependencies.get(field, ()))
        return tuple(self.by_urn[urn] for urn in urns if urn in self.by_urn)

    @cached_property
    def expected(self) -> frozenset[Edge]:
        """Return what the topology allows."""
        return edges(self.intent)

    @cached_property
    def preflights(self) -> tuple[Preflight, ...]:
        """Return what the topology wants browsers told, by where they ask first."""
        return preflights(self.intent)

    @cached_property
    def preflights_by_door(self) -> Mapping[Name, Preflight]:
        """Return the same by the doors that it is said for."""
        return {name: answer for answer in self.preflights for name in answer.doors}

    @cached_property
    def preflights_by_path(self) -> Mapping[HostName, ByFirst[tuple[Pattern, Preflight]]]:
        """Return the same by host and path."""
        hosts = {answer.host: [each for each in self.preflights if each.host == answer.host] for answer in self.preflights}
        return {
            host: ByFirst(([entry], (entry, answer)) for answer in found for entry in map(parse, answer.paths))
            for host, found in hosts.items()
        }

    @cached_property
    def expected_by_key(self) -> Mapping[Key, list[Edge]]:
        """Return what the topology allows by direction, source, target and host."""
        return by_key(self.expected)

    @cached_property
    def _expected_by_source(self) -> Mapping[str, tuple[Edge, ...]]:
        result: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in self.expected:
            result[edge.source].append(edge)
        return {source: tuple(found) for source, found in result.items()}

    def expected_of(self, source: str) -> tuple[Edge, ...]:
        """Return what the topology allows to one source."""
        return self._expected_by_source.get(source, ())

    @cached_property
    def app_namespaces(self) -> frozenset[str]:
        """Return the namespaces of the topology's services."""
        t = self.intent
        return frozenset(t.namespace_of(name) for name in (*t.services, *t.compositions))

    # What could not be read

    @property
    def unreadable(self) -> tuple[tuple[Resource, UnknownValueError], ...]:
        """Return every resource that some view had to leave out so far, and why."""
        return tuple(self._unreadable.values())

    def reading(self, resource: Resource, read: Callable[[], T]) -> T | None:
        """Return what `read` returns; where it meets an unknown or malformed value, note the resource as unreadable and return None."""
        try:
            return read()
        except UnknownValueError as error:
            self.note(resource, error)
        except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
            self.note(resource, UnknownValueError(str(resource), f"not of the expected shape ({type(error).__name__}: {error})"))
        return None

    def note(self, resource: Resource, error: UnknownValueError) -> None:
        """Note a resource as unreadable."""
        self._unreadable.setdefault((str(resource), str(error)), (resource, error))

    # Views

    @cached_property
    def releases(self) -> tuple[Resource, ...]:
        """Return the Helm releases."""
        return tuple(self.of("Release"))

    @cached_property
    def derived(self) -> tuple[tuple[Resource, str], ...]:
        """Return what known charts and gateway controllers will create, each with its maker (`istio/gateway`, `envoy-gateway`).

        These are no resources of the program: `of` and `find` do not know them. Their URN is their maker's.
        """
        result: list[tuple[Resource, str]] = []
        for release in self.releases:
            known = self.reading(release, lambda release=release: list(charts.objects_of(release)) if charts.is_known(release) else [])
            result += [(made, f"chart {charts.chart_name(release)}") for made in known or ()]
        for gateway in self.of(f"Gateway.{controllers.GATEWAY_API}"):
            made = self.reading(
                gateway,
                lambda gateway=gateway: list(controllers.proxies_of(gateway, controllers.class_of(gateway, self.find), self.releases)),
            )
            result += [(each, "gateway controller") for each in made or ()]
        return tuple(result)

    @cached_property
    def namespaces(self) -> Mapping[str, Namespace]:
        """Return the namespaces of the program by name."""
        read = (self.reading(resource, lambda resource=resource: namespace_of(resource)) for resource in self.of("Namespace"))
        return {namespace.name: namespace for namespace in read if namespace}

    def namespace(self, name: str) -> Namespace:
        """Return a namespace; one that the program does not make has only its name as label."""
        return self.namespaces.get(name) or Namespace(name=name, labels={NAME_LABEL: name})

    @cached_property
    def pods(self) -> Pods:
        """Return the pods of every workload: of the program, of known charts, of gateway controllers."""
        found: list[Pod] = []
        workloads = [(resource, "") for resource in self.of(*TEMPLATES)]
        for resource, maker in (*workloads, *self.derived):
            if resource.kind in TEMPLATES and not self._unknown_identity(resource):
                pod = self.reading(resource, lambda resource=resource, maker=maker: pod_of(resource, maker=maker))
                found += [pod] if pod else []
        return Pods(found)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Return the Services: of the program, of known charts, of gateway controllers."""
        found: list[Service] = []
        for resource, maker in (*((resource, "") for resource in self.of("Service")), *self.derived):
            if resource.kind == "Service" and not self._unknown_identity(resource):
                service = self.reading(resource, lambda resource=resource, maker=maker: service_of(resource, self.pods, maker=maker))
                found += [service] if service else []
        return tuple(found)

    @cached_property
    def _services_by_name(self) -> dict[tuple[str, str], Service]:
        return {(service.namespace, service.name): service for service in self.services}

    def service(self, namespace: str, name: str) -> Service | None:
        """Return a Service by namespace and name, or None."""
        return self._services_by_name.get((namespace, name))

    @cached_property
    def _services_by_pod(self) -> Mapping[Pod, tuple[Service, ...]]:
        result: defaultdict[Pod, list[Service]] = defaultdict(list)
        for service in self.services:
            for pod in service.pods:
                result[pod].append(service)
        return {pod: tuple(services) for pod, services in result.items()}

    def services_of(self, pod: Pod) -> tuple[Service, ...]:
        """Return the Services that lead to a pod."""
        return self._services_by_pod.get(pod, ())

    @cached_property
    def meshes(self) -> tuple[Mesh, ...]:
        """Return the control planes: every Release of Istio's chart `istiod`."""
        found: list[Mesh] = []
        for release in self.releases:
            if self.reading(release, lambda release=release: charts.chart_name(release)) == "istiod":
                mesh = self.reading(release, lambda release=release: mesh_of(release))
                found += [mesh] if mesh else []
        return tuple(found)

    def readers(self, resource: Resource) -> tuple[Mesh, ...]:
        """Return the meshes whose control plane reads an Istio object."""
        return tuple(mesh for mesh in self.meshes if mesh.reads(resource) and mesh.discovers(self.namespace(resource.namespace)))

    def member(self, pod: Pod) -> tuple[Mesh, Proxy] | None:
        """Return the mesh that a pod belongs to and the proxy in it; None for a pod outside every mesh."""
        if pod not in self._members:
            self._members[pod] = self._find_member(pod)
        return self._members[pod]

    def _find_member(self, pod: Pod) -> tuple[Mesh, Proxy] | None:
        namespace = self.namespace(pod.namespace)
        for mesh in self.meshes:
            if proxy := self.reading(pod.resource, lambda mesh=mesh: mesh.proxy_in(pod, namespace)):
                return mesh, proxy
        return None

    def identity(self, pod: Pod) -> str:
        """Return the SPIFFE identity of a pod without its scheme; empty for a pod outside every mesh."""
        if member := self.member(pod):
            return f"{member[0].trust_domain}/ns/{pod.namespace}/sa/{pod.service_account}"
        return ""

    @cached_property
    def _pods_by_identity(self) -> Mapping[str, tuple[Pod, ...]]:
        result: defaultdict[str, list[Pod]] = defaultdict(list)
        for pod in self.pods:
            if identity := self.identity(pod):
                result[identity].append(pod)
        return {identity: tuple(pods) for identity, pods in result.items()}

    @cached_property
    def declared(self) -> Mapping[str, Mapping[VersionName, Version]]:
        """Return what the topology declares to run, by identity: the versions of a service, or one without an image for a composition."""
        t = self.intent
        services = {identity(t, name): service.versions for name, service in t.services.items()}
        return {**services, **{identity(t, name): {"": Version()} for name in t.compositions}}

    def holders(self, identity: str) -> tuple[Pod, ...]:
        """Return the pods that hold an identity."""
        return self._pods_by_identity.get(identity, ())

    @property
    def identities(self) -> Mapping[str, tuple[Pod, ...]]:
        """Return the pods of every mesh by identity."""
        return self._pods_by_identity

    # Layers

    @cached_property
    def around(self) -> Surroundings:
        """Return the lookups that the layers of reading share."""
        return Surroundings(
            pods=self.pods,
            meshes=self.meshes,
            find=self.find,
            service=self.service,
            namespace=self.namespace,
            member=self.member,
            note=self.note,
        )

    @cached_property
    def network(self) -> Network:
        """Return the NetworkPolicies: which pods may connect to which."""
        homes = self.cloud.nodes.addresses.networks if self.cloud.nodes else ()
        return Network(self.of("NetworkPolicy.networking.k8s.io"), self.pods, self.namespaces, self.note, homes)

    @cached_property
    def authorization(self) -> Authorization:
        """Return the policies of the identity level."""
        return Authorization(self.of(*Authorization.KINDS), self.around)

    def guard(self, pod: Pod) -> Guard | None:
        """Return what a pod's proxy accepts from whom; None for a pod outside every mesh."""
        return self.authorization.guard(pod)

    @cached_property
    def traffic(self) -> Traffic:
        """Return VirtualServices, DestinationRules, ServiceEntries and Sidecars."""

        def of(kind: str) -> Iterator[Resource]:
            return self.of(f"{kind}.{ISTIO_NETWORKING}")

        return Traffic(of, self.around)

    @cached_property
    def certificates(self) -> Certificates:
        """Return the certificates that cert-manager makes."""
        return Certificates(self.of("Certificate.cert-manager.io"), self.find, self.note, self.cloud.certificates)

    @cached_property
    def nginx(self) -> tuple[Nginx, ...]:
        """Return every nginx whose configuration is in ConfigMaps: the edge, and compositions."""
        maps: defaultdict[str, dict[str, Resource]] = defaultdict(dict)
        for resource in self.of("ConfigMap"):
            maps[resource.namespace][resource.name] = resource
        found: list[Nginx] = []
        for pod in self.pods:
            if pod.volumes and maps[pod.namespace]:
                known = self.reading(pod.resource, lambda pod=pod: list(nginx_of(pod, maps[pod.namespace])))
                found += known or ()
        return tuple(found)

    @cached_property
    def clouds(self) -> frozenset[str]:
        """Return the packages of the clouds that it has resources of: `aws`."""
        return clouds_of(self)

    @cached_property
    def exposures(self) -> tuple[Exposure, ...]:
        """Return every public address."""
        found: list[Exposure] = []
        for service in self.services:
            found += self.reading(service.resource, lambda service=service: list(of_service(service, self.clouds))) or ()
        for pod in self.pods:
            found += self.reading(pod.resource, lambda pod=pod: list(of_pod(pod))) or ()
        for ingress in self.of("Ingress.networking.k8s.io", "Ingress.extensions"):
            found += self.reading(ingress, lambda ingress=ingress: list(of_ingress(ingress, self.service))) or ()
        for gateway in self.of(f"Gateway.{controllers.GATEWAY_API}"):
            view = self.reading(gateway, lambda gateway=gateway: controllers.class_of(gateway, self.find))
            found += of_gateway(gateway, view.controller) if view else ()
        return tuple(found)

    @cached_property
    def gateways(self) -> tuple[ApiGateway, ...]:
        """Return the API gateways: Gateways of the Gateway API with listeners, pods and attached routes."""
        found: list[ApiGateway] = []
        for gateway in self.of(f"Gateway.{controllers.GATEWAY_API}"):
            view = self.reading(gateway, lambda gateway=gateway: self._gateway(gateway))
            found += [view] if view else []
        return tuple(found)

    def _gateway(self, gateway: Resource) -> ApiGateway:
        controller = controllers.class_of(gateway, self.find).controller
        if controller is controllers.Controller.KONG:
            kong = [release for release in self.releases if charts.chart_name(release) == "kong"]
            pods = [pod for pod in self.pods if pod.resource.urn in {release.urn for release in kong} and pod.maker]
        else:
            pods = [pod for pod in self.pods if pod.maker and pod.resource.urn == gateway.urn]
        routes = self.of(*(f"{kind}.{controllers.GATEWAY_API}" for kind in ROUTE_KINDS))
        return read_gateway(gateway, routes, pods, self.around)

    @cached_property
    def envoy_policies(self) -> EnvoyPolicies:
        """Return Envoy Gateway's policies by what they are attached to."""
        return EnvoyPolicies(self.of(*(f"{kind}.gateway.envoyproxy.io" for kind in POLICY_KINDS)))

    @cached_property
    def kong_plugins(self) -> KongPlugins:
        """Return Kong's plugins and consumers."""
        group = "configuration.konghq.com"
        return KongPlugins(self.find, self.of(f"KongClusterPlugin.{group}"), self.of(f"KongConsumer.{group}"))

    @cached_property
    def mesh_gateways(self) -> tuple[MeshGateway, ...]:
        """Return the Istio Gateways with the pods they configure."""
        found: list[MeshGateway] = []
        for resource in self.of(f"Gateway.{ISTIO_NETWORKING}"):
            view = self.reading(resource, lambda resource=resource: mesh_gateway(resource, self._configured))
            found += [view] if view else []
        return tuple(found)

    @cached_property
    def mesh_ingress(self) -> frozenset[Pod]:
        """Return the pods of mesh ingresses: those on which an Istio Gateway serves clients outside the mesh's own mutual TLS."""
        return frozenset(
            pod
            for gateway in self.mesh_gateways
            if any(server.mode != "ISTIO_MUTUAL" for server in gateway.servers)
            for pod in gateway.pods
            if (member := self.member(pod)) is not None and member[1] is Proxy.GATEWAY
        )

    def _configured(self, gateway: Resource) -> tuple[Pod, ...]:
        """Return the pods that an Istio Gateway configures: by labels, in every namespace, unless istiod keeps it to its own.

        https://istio.io/latest/docs/reference/config/networking/gateway/#Gateway-selector
        """
        selector = gateway.at("spec", "selector", default={})
        found: list[Pod] = []
        for pod in self._proxies:
            member = self.member(pod)
            if member is None or not member[0].reads(gateway) or not member[0].discovers(self.namespace(gateway.namespace)):
                continue
            scoped = mapping(member[0].values.get("env")).get("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "false")
            if str(scoped).lower() == "true" and pod.namespace != gateway.namespace:
                continue
            if matches_labels(selector, pod.labels):
                found.append(pod)
        return tuple(found)

    @cached_property
    def cloud(self) -> Cloud:
        """Return what the stack has in a cloud: places, filters, public addresses, stations on the way into the cluster."""
        return cloud_of(self)

    @cached_property
    def ways(self) -> Observed:
        """Return every way through the stack: the edges read back, each with the hops that make it possible."""
        return observe(self)

    @property
    def observed(self) -> frozenset[Edge]:
        """Return the edges read back: every call that the resources make possible."""
        return self.ways.edges

    @cached_property
    def _proxies(self) -> tuple[Pod, ...]:
        """Return the pods that may serve Istio Gateways: any proxy may, but a sidecar that does is unheard of unless selected."""
        return tuple(pod for pod in self.pods if self.member(pod))

    def _unknown_identity(self, resource: Resource) -> bool:
        if has_unknown_identity(resource):
            self.note(resource, UnknownValueError(str(resource), "an object whose kind, namespace or name is not known"))
            return True
        return False
