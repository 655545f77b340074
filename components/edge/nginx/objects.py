"""What runs the edge: nginx with ModSecurity behind one Service."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from components.edge.nginx import waf
from components.edge.nginx.balancer import Balancer
from components.edge.nginx.config import CLIENT_CERTIFICATE, DIRECTORY, HEALTH_PORT, SERVER_CERTIFICATE, nginx_conf
from components.scaling import BUDGET, CPU_TARGET, most, spread
from topology.derive import draining, names, network
from topology.derive.manifest import Manifest, manifest
from topology.derive.workloads import RESTRICTED_CONTAINER
from topology.model.system import Topology

LABELS: Final = {names.APP_LABEL: names.EDGE, names.LAYER_LABEL: names.EDGE}
USER: Final = 101
"""User and group `nginx` of the image."""
BY_NODES: Final[Mapping[str, Any]] = {"type": "NodePort", "externalTrafficPolicy": "Local"}
"""The Service of a cluster without a cloud, where a LoadBalancer never gets an address. `Local` keeps the client's address, which the
limit by address needs; a node without an instance of the edge does not answer."""
INSIDE: Final[Mapping[str, Any]] = {"type": "ClusterIP"}
"""The Service behind a load balancer that connects to the pods themselves."""
CONFIG_ANNOTATION: Final = "perimeter.dev/config"
"""On the pods: a digest of the configuration, so that a change of it restarts them."""
MEMORY: Final = 512
"""MiB for two workers with the rule set; bodies, which the WAF holds while it looks at them, come on top."""
CACHE: Final = 256
"""MiB of disk for kept answers, as nginx.conf says."""


def files(t: Topology, gateway: str, balancer: Balancer | None = None) -> dict[str, str]:
    """Return every file of the edge's configuration; the arguments are those of `nginx_conf`."""
    return {
        "nginx.conf": nginx_conf(t, gateway, balancer),
        waf.FILE: waf.modsecurity_conf(t, DIRECTORY),
        waf.SETUP_FILE: waf.crs_setup_conf(t),
    }


def configuration(t: Topology, gateway: str, balancer: Balancer | None = None) -> Manifest:
    """Return the ConfigMap that alone decides what the edge does; the arguments are those of `nginx_conf`."""
    return manifest("v1", "ConfigMap", names.EDGE, names.EDGE_NAMESPACE, labels=LABELS, data=files(t, gateway, balancer))


def account() -> Manifest:
    """Return the edge's ServiceAccount, which has no rights and no token."""
    return manifest("v1", "ServiceAccount", names.EDGE, names.EDGE_NAMESPACE, labels=LABELS, automountServiceAccountToken=False)


def service(spec: Mapping[str, Any], annotations: Mapping[str, str] | None = None, node_port: int | None = None) -> Manifest:
    """Return the Service of the edge's pods.

    Args:
        spec: how it is published: its type, and what goes with that.
        annotations: what a cloud wants to know of it.
        node_port: of its one port.
    """
    port = {
        "name": "https",
        "port": names.HTTPS_PORT,
        "targetPort": names.EDGE_POD_PORT,
        **({"nodePort": node_port} if node_port else {}),
        "protocol": "TCP",
        "appProtocol": "https",
    }
    whole = {**spec, "selector": LABELS, "ports": [port]}
    return manifest("v1", "Service", names.EDGE, names.EDGE_NAMESPACE, whole, labels=LABELS, annotations=annotations)


def network_policy(gateway_namespace: str, gateway_pods: Mapping[str, str], gateway_port: int, callers: Iterable[str]) -> Manifest:
    """Return what the edge accepts (the addresses of `callers`, on its TLS port) and where it goes (the gateway alone)."""
    return network.policy(
        names.EDGE,
        names.EDGE_NAMESPACE,
        LABELS,
        ingress=[network.accept([network.block(cidr) for cidr in callers], names.EDGE_POD_PORT)],
        egress=[network.dns(), network.reach([network.pods(gateway_namespace, gateway_pods)], gateway_port)],
    )


def workload(t: Topology, config: Manifest, image: str, replicas: int) -> Iterator[Manifest]:
    """Yield the Deployment, its autoscaler and its disruption budget."""
    digest = hashlib.sha256("\0".join(config["data"].values()).encode()).hexdigest()
    template = {
        "metadata": {"labels": LABELS, "annotations": {CONFIG_ANNOTATION: digest[:16]}},
        "spec": _pod(t, image, memory=MEMORY + 3 * waf.largest_body(t) // 2**20),
    }
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec = {"selector": {"matchLabels": LABELS}, "strategy": rolling, "template": template}
    yield manifest("apps/v1", "Deployment", names.EDGE, names.EDGE_NAMESPACE, spec, labels=LABELS)
    target = {"type": "Utilization", "averageUtilization": CPU_TARGET}
    scaling = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.EDGE},
        "minReplicas": replicas,
        "maxReplicas": most(replicas),
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    yield manifest("autoscaling/v2", "HorizontalPodAutoscaler", names.EDGE, names.EDGE_NAMESPACE, scaling, labels=LABELS)
    budget = {"selector": {"matchLabels": LABELS}, **BUDGET}
    yield manifest("policy/v1", "PodDisruptionBudget", names.EDGE, names.EDGE_NAMESPACE, budget, labels=LABELS)


def _pod(t: Topology, image: str, memory: int) -> dict[str, Any]:
    # By a name: an address as Host is worth an entry in the firewall's audit log to the Core Rule Set (920350), each time.
    check = {"httpGet": {"path": "/healthz", "port": HEALTH_PORT, "httpHeaders": [{"name": "Host", "value": names.EDGE}]}}
    mounts = {"config": DIRECTORY, "server": SERVER_CERTIFICATE, "client": CLIENT_CERTIFICATE}
    container = {
        "name": names.EDGE,
        "image": image,
        "command": ["nginx", "-e", "stderr", "-c", f"{DIRECTORY}/nginx.conf"],
        "ports": [
            {"name": "https", "containerPort": names.EDGE_POD_PORT, "protocol": "TCP"},
            {"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"},
        ],
        "securityContext": {**RESTRICTED_CONTAINER, "readOnlyRootFilesystem": True},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": f"{memory}Mi"}},
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 # a volume of the pod's own
            *({"name": name, "mountPath": path, "readOnly": True} for name, path in mounts.items()),
        ],
        "startupProbe": {**check, "periodSeconds": 2, "failureThreshold": 30},
        "readinessProbe": {**check, "periodSeconds": 5},
        "livenessProbe": {**check, "periodSeconds": 15, "failureThreshold": 4},
        "lifecycle": draining.lifecycle(),
    }
    return {
        "serviceAccountName": names.EDGE,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": draining.grace(draining.longest_request(t)),
        "containers": [container],
        "topologySpreadConstraints": spread(LABELS),
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": f"{CACHE + memory}Mi"}},
            {"name": "config", "configMap": {"name": names.EDGE}},
            {"name": "server", "secret": {"secretName": names.EDGE_SERVER_SECRET, "defaultMode": 0o440}},
            {"name": "client", "secret": {"secretName": names.EDGE_CLIENT_SECRET, "defaultMode": 0o440}},
        ],
    }
