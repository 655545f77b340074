"""What runs a service: a Deployment for each version in each datacenter, a Service, scaling and disruption bounds."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from topology.derive import draining, egress, names
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.model.base import Name, ServiceName, VersionName
from topology.model.service import Availability, Protocol, Resources, Service, Version
from topology.model.system import Topology

USER: Final = 10001
"""User and group of every application container. Never 1337, which is the proxy's and passes capture."""

RESTRICTED_POD: Final[dict[str, Any]] = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESTRICTED_CONTAINER: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
RESERVED_MEMORY: Final = "64Mi"
MOST_MEMORY: Final = "256Mi"
SCRATCH: Final[dict[str, Any]] = {"name": "tmp", "emptyDir": {}}
SCRATCH_MOUNT: Final = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 # the pod's own

CONFIG_ANNOTATION: Final = "perimeter.dev/config"
"""On pods: a digest of the configuration they mount, so that a change of it restarts them."""

SPREAD: Final[dict[str, list[str]]] = {
    "none": [],
    "nodes": ["kubernetes.io/hostname"],
    "zones": ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
}
"""Topology keys over which instances are spread, by the topology's word."""

PORT_NAMES: Final = {Protocol.HTTP: "http", Protocol.WEBSOCKET: "http", Protocol.GRPC: "grpc", Protocol.TCP: "tcp"}
"""Port name and `appProtocol` by which Istio knows what a port speaks; for gRPC it then calls with HTTP/2."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images of workloads whose topology names none."""

    demo: str
    composition: str


def service_port(r: Relations, name: ServiceName) -> dict[str, Any]:
    """Return the port of a Kubernetes Service."""
    protocol = PORT_NAMES[r.protocol(name)]
    port = r.port(name)
    return {"name": protocol, "port": port, "targetPort": port, "protocol": "TCP", "appProtocol": protocol}


def service(r: Relations, name: ServiceName) -> Manifest:
    """Return the cluster-internal Service of a service or composition."""
    spec = {"type": "ClusterIP", "selector": {names.APP_LABEL: name}, "ports": [service_port(r, name)]}
    workload = r.t.workload(name)
    idle = isinstance(workload, Service) and workload.availability.replicas == 0
    # Nothing would ever answer what Pulumi waits for.
    annotations = {"pulumi.com/skipAwait": "true"} if idle else None
    return manifest("v1", "Service", name, r.t.namespace_of(name), spec, labels={names.APP_LABEL: name}, annotations=annotations)


def workload(r: Relations, name: ServiceName, images: Images) -> Iterator[Manifest]:
    """Yield what runs a service: Deployments, their autoscalers, and one disruption budget for all."""
    t = r.t
    s = t.services[name]
    everywhere = places(t, s.datacenters)
    for version in s.versions:
        for place in everywhere:
            deployed = _deployment(r, name, version, place, images)
            yield deployed
            if s.availability.max_replicas is not None:
                yield _autoscaler(deployed["metadata"]["name"], t.namespace_of(name), s.availability)
    instances = s.availability.replicas * len(s.versions) * len(everywhere)
    if instances > 1:
        yield _disruption_budget(name, t.namespace_of(name), s.availability.max_unavailable)


def deployment_name(name: ServiceName, version: VersionName, place: Name | None) -> Name:
    """Return the name of the Deployment of one version in one datacenter."""
    return "-".join([name, version.replace(".", "-"), *([place] if place else [])])


def deployment_names(t: Topology, name: ServiceName) -> list[Name]:
    """Return the names of all Deployments of a service."""
    s = t.services[name]
    return [deployment_name(name, version, place) for version in s.versions for place in places(t, s.datacenters)]


def config_digest(files: Mapping[str, str]) -> str:
    """Return a short fingerprint of configuration files."""
    return hashlib.sha256("\0".join(files.values()).encode()).hexdigest()[:16]


def pod_labels(t: Topology, name: ServiceName, version: VersionName, place: Name | None) -> dict[str, str]:
    """Return the labels of a pod: what selects it, and where Istio takes it to be."""
    labels = {names.APP_LABEL: name, names.VERSION_LABEL: version}
    return labels if place is None else {**labels, names.LOCALITY_LABEL: f"{t.datacenters[place].region}.{place}"}


def pod_template(  # noqa: PLR0913 # the parts of a pod
    labels: dict[str, str],
    account: Name,
    container: dict[str, Any],
    *,
    spread: list[str],
    volumes: list[dict[str, Any]],
    place: Name | None = None,
) -> dict[str, Any]:
    """Return a pod that meets the restricted Pod Security Standard by its own settings."""
    spec: dict[str, Any] = {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "securityContext": RESTRICTED_POD,
        "containers": [container],
        "volumes": volumes,
    }
    if spread:
        chosen = {key: labels[key] for key in (names.APP_LABEL, names.VERSION_LABEL) if key in labels}
        spec["topologySpreadConstraints"] = spread_over(spread, chosen)
    if place is not None:
        spec["affinity"] = _near(place)
    return {"metadata": {"labels": labels}, "spec": spec}


def spread_over(keys: Iterable[str], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the wish that the pods with these labels run evenly over places; where there are too few, they run together."""
    selector = {"matchLabels": dict(labels)}
    return [{"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector} for key in keys]


def places(t: Topology, chosen: tuple[Name, ...] = ()) -> list[Name | None]:
    """Return the datacenters a workload runs in: the chosen ones, else all; None alone where the topology has none."""
    return list(chosen or t.datacenters) or [None]


def _deployment(r: Relations, name: ServiceName, version: VersionName, place: Name | None, images: Images) -> Manifest:
    t = r.t
    s = t.services[name]
    about, availability = s.versions[version], s.availability
    labels = pod_labels(t, name, version, place)
    volumes = [SCRATCH, *({**SCRATCH, "name": f"scratch-{index}"} for index in range(len(about.scratch)))]
    mounts = [SCRATCH_MOUNT, *({"name": f"scratch-{index}", "mountPath": path} for index, path in enumerate(about.scratch))]
    container: dict[str, Any] = {
        "name": name,
        "image": about.image or images.demo,
        "ports": [{"name": PORT_NAMES[s.protocol], "containerPort": s.port, "protocol": "TCP"}],
        "securityContext": RESTRICTED_CONTAINER,
        "resources": resources(s.resources),
        "volumeMounts": mounts,
        **_probes(s),
    }
    if command := list(about.command) or ([] if about.image else _demo_command(s)):
        container["command"] = command
    if variables := [*_variables(about)]:
        container["env"] = variables
    template = pod_template(labels, name, container, spread=SPREAD[availability.spread], volumes=volumes, place=place)
    template["metadata"]["labels"] = {**labels, **names.trust_label(t, t.mesh_of(name))}
    if known := egress.aliases(r, name):
        template["spec"]["hostAliases"] = known
    template = draining.served_out(template, s.resilience.timeout)
    spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "strategy": _rollout(availability), "template": template}
    if availability.max_replicas is None:
        spec = {"replicas": availability.replicas, **spec}
    return manifest("apps/v1", "Deployment", deployment_name(name, version, place), t.namespace_of(name), spec, labels=labels)


def resources(given: Resources) -> dict[str, Any]:
    """Return a container's `resources`. Processor time has no bound: whoever is throttled answers late though the machine is idle."""
    return {
        "requests": {"cpu": given.cpu, "memory": given.memory or RESERVED_MEMORY},
        "limits": {"memory": given.memory or MOST_MEMORY},
    }


def _variables(about: Version) -> Iterator[dict[str, Any]]:
    for key, value in about.env.items():
        yield {"name": key, "value": value}
    for key, value in about.secrets.items():
        yield {"name": key, "valueFrom": {"secretKeyRef": {"name": value.secret, "key": value.key}}}


def _rollout(availability: Availability) -> dict[str, Any]:
    """Return how a new image is rolled out. The last instance is never given up for it, unless nothing may run beyond the wanted number."""
    missing = availability.max_unavailable
    if availability.max_surge:
        missing = min(missing, max(availability.replicas - 1, 0))
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": availability.max_surge, "maxUnavailable": missing}}


def _probes(s: Service) -> dict[str, Any]:
    """Return the probes: kubelet's HTTP and TCP probes are answered through the proxy, which rewrites them."""
    check = {"httpGet": {"path": s.health, "port": s.port}} if s.health else {"tcpSocket": {"port": s.port}}
    return {
        "startupProbe": {**check, "periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": {**check, "periodSeconds": 5},
        "livenessProbe": {**check, "periodSeconds": 15, "failureThreshold": 4},
    }


def _demo_command(s: Service) -> list[str]:
    """Return how the demonstration image (podinfo) is made to listen on the service's port in the service's protocol."""
    if s.protocol is Protocol.GRPC:
        other = 9898 if s.port != 9898 else 9899
        return ["./podinfo", f"--port={other}", f"--grpc-port={s.port}"]
    return ["./podinfo", f"--port={s.port}"]


def _near(place: Name) -> dict[str, Any]:
    """Return the wish for nodes of a datacenter; where no node is labelled so, pods run anywhere."""
    term = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": [place]}]}
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]}}


def _autoscaler(name: Name, namespace: Name, availability: Availability) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": availability.cpu_target}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": max(availability.replicas, 1),
        "maxReplicas": availability.max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    return manifest("autoscaling/v2", "HorizontalPodAutoscaler", name, namespace, spec)


def _disruption_budget(name: ServiceName, namespace: Name, max_unavailable: int) -> Manifest:
    spec = {"selector": {"matchLabels": {names.APP_LABEL: name}}, "maxUnavailable": max_unavailable}
    return manifest("policy/v1", "PodDisruptionBudget", name, namespace, spec)
