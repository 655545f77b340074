"""Public addresses: everything by which a packet from outside the cluster reaches a pod."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.reading.controllers import Controller
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import mapping, sequence

INTERNAL_LOAD_BALANCER: Final[Mapping[str, str]] = {
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "networking.gke.io/load-balancer-type": "Internal",
    "cloud.google.com/load-balancer-type": "Internal",
}
"""Annotations that give a load balancer an address of the private network only, by cloud."""

READ_IN: Final[Mapping[str, frozenset[str]]] = {
    "azure-native": frozenset({"service.beta.kubernetes.io/azure-load-balancer-internal"}),
    "aws": frozenset({"service.beta.kubernetes.io/aws-load-balancer-internal"}),
}
"""Those of them that the cluster of a cloud reads, by the package of its resources: whatever another cloud's says, it makes a public one.

In EKS the service controller of Kubernetes' own cloud provider makes them, which knows no `...-scheme`, where the AWS Load Balancer
Controller is not told to (https://cloud-provider-aws.sigs.k8s.io/service_controller/).
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposure:
    """One public address and what stands behind it."""

    resource: Resource
    why: str
    """What makes it public: `Service edge/edge is of type NodePort (30443)`."""
    pods: tuple[Pod, ...]
    port: int
    """Container port; 0 where any port is reached."""
    fix: str
    asked: int = 0
    """Port of the Service that is asked for; 0 where there is none."""


def exposures(
    services: Iterable[Service],
    pods: Iterable[Pod],
    ingresses: Iterable[Resource],
    gateways: Iterable[tuple[Resource, Controller]],
    service: Callable[[str, str], Service | None],
) -> Iterator[Exposure]:
    """Yield every public address of a stack.

    Raises:
        UnknownValueError: if a field that decides is not known.
    """
    for each in services:
        yield from of_service(each)
    for pod in pods:
        yield from of_pod(pod)
    for ingress in ingresses:
        yield from of_ingress(ingress, service)
    for gateway, controller in gateways:
        yield from of_gateway(gateway, controller)


def of_service(service: Service, clouds: Collection[str] = ()) -> Iterator[Exposure]:
    """Yield the public addresses of a Service: load balancer, node ports, external addresses; `clouds` as for `is_internal`."""
    fix = "make it ClusterIP; only the edge has a public address"
    external = sequence(service.spec.get("externalIPs"))
    public = service.type in {"NodePort", "LoadBalancer"} and not (service.type == "LoadBalancer" and is_internal(service, clouds))
    if not public and not external:
        return
    for port in service.ports:
        reasons = [f"is of type {service.type}{f' ({port.node_port})' if port.node_port else ''}"] if public else []
        reasons += [f"has externalIPs {', '.join(external)}"] if external else []
        why = f"{service} {' and '.join(reasons)}"
        by_port: dict[int, list[Pod]] = {}
        for pod in service.pods:
            if (number := pod.port_number(port.target)) is not None:
                by_port.setdefault(number, []).append(pod)
        for number, behind in by_port.items() or ((0, ()),):
            yield Exposure(resource=service.resource, why=why, pods=tuple(behind), port=number, fix=fix, asked=port.port)


def is_internal(service: Service, clouds: Collection[str] = ()) -> bool:
    """Say whether a load balancer gets an address of the private network only.

    Args:
        service: of type LoadBalancer.
        clouds: packages of the clouds in which the cluster may be; where there is none, the annotations of all are taken for read.
    """
    read = frozenset[str]().union(*(READ_IN.get(each, ()) for each in clouds)) if clouds else INTERNAL_LOAD_BALANCER.keys()
    return any(service.resource.annotations.get(key) == INTERNAL_LOAD_BALANCER[key] for key in read)


def of_pod(pod: Pod) -> Iterator[Exposure]:
    """Yield the ports that a pod opens on its node's address."""
    fix = "remove it; only the edge has a public address"
    if pod.host_network:
        yield Exposure(resource=pod.resource, why=f"{pod} use the node's network (hostNetwork)", pods=(pod,), port=0, fix=fix)
    for container in pod.all_containers:
        for port in sequence(container.get("ports")):
            if port.get("hostPort"):
                why = f"{pod} open port {port['hostPort']} of the node (hostPort)"
                yield Exposure(resource=pod.resource, why=why, pods=(pod,), port=port["containerPort"], fix=fix)


def of_ingress(ingress: Resource, service: Callable[[str, str], Service | None]) -> Iterator[Exposure]:
    """Yield what an Ingress publishes: whichever controller serves it, it stands outside the path of this system."""
    spec = ingress.spec
    backends = [path["backend"] for rule in sequence(spec.get("rules")) for path in sequence(mapping(rule.get("http")).get("paths"))]
    for backend in [*backends, *(spec[key] for key in ("defaultBackend", "backend") if spec.get(key))]:
        # networking.k8s.io/v1 nests the Service's name; the older versions write serviceName.
        name = mapping(backend.get("service")).get("name") or backend.get("serviceName") or ""
        found = service(ingress.namespace, name)
        yield Exposure(
            resource=ingress,
            why=f"{ingress} publishes Service {ingress.namespace}/{name}",
            pods=found.pods if found else (),
            port=0,
            fix="remove it; clients come in through edge and gateway",
        )


def of_gateway(gateway: Resource, controller: Controller) -> Iterator[Exposure]:
    """Yield what a Gateway of a controller that is not known publishes: for all we know, a load balancer."""
    if controller is Controller.OTHER:
        why = f"{gateway} has a class of which it is not known who serves it: most controllers make a public load balancer"
        yield Exposure(resource=gateway, why=why, pods=(), port=0, fix="use a GatewayClass of the program, of Envoy Gateway or Kong")
