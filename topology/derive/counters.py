"""The Redis in which gateway instances count the limits of tiers together."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from topology.derive import names, network
from topology.derive.manifest import Manifest, manifest
from topology.derive.workloads import RESTRICTED_CONTAINER, SCRATCH, SCRATCH_MOUNT, pod_template, resources
from topology.model.base import Name
from topology.model.service import Resources, Scope
from topology.model.system import Topology

REDIS_LABELS: Final = {names.APP_LABEL: names.REDIS}
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 # of the pod, whose NetworkPolicy says who comes near
LOOPBACK: Final = "127.0.0.1"
REDIS_SETTINGS: Final = ("--port", str(names.REDIS_PORT), "--protected-mode", "no", "--save", "", "--dir", SCRATCH_MOUNT["mountPath"])
"""Redis without a disk: counters may be forgotten."""


def tiers_count_globally(t: Topology) -> bool:
    """Say whether a tier's limits hold across all gateway instances."""
    return any(tier.scope is Scope.GLOBAL for tier in t.tiers.values())


def redis(image: str, clients: Sequence[dict[str, Any]]) -> Iterator[Manifest]:
    """Yield the gateway's counters: a Redis that forgets on restart, reached by its clients (NetworkPolicy peers) alone."""
    namespace = names.COUNTERS_NAMESPACE
    yield network.policy(names.REDIS, namespace, REDIS_LABELS, ingress=[network.accept(clients, names.REDIS_PORT)], egress=[])
    yield account(names.REDIS, namespace)
    template = pod_template(REDIS_LABELS, names.REDIS, redis_container(image, EVERYWHERE), spread=[], volumes=[SCRATCH])
    yield deployment(names.REDIS, namespace, REDIS_LABELS, template)
    port = {"name": "tcp-redis", "port": names.REDIS_PORT, "targetPort": names.REDIS_PORT, "protocol": "TCP"}
    spec = {"type": "ClusterIP", "selector": REDIS_LABELS, "ports": [port]}
    yield manifest("v1", "Service", names.REDIS, namespace, spec, labels=REDIS_LABELS)


def account(name: Name, namespace: Name) -> Manifest:
    """Return an identity without a token."""
    return manifest("v1", "ServiceAccount", name, namespace, automountServiceAccountToken=False)


def deployment(name: Name, namespace: Name, labels: dict[str, str], template: dict[str, Any]) -> Manifest:
    """Return a Deployment of the one instance that counts."""
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": labels}, "template": template}
    return manifest("apps/v1", "Deployment", name, namespace, spec, labels=labels)


def redis_container(image: str, address: str) -> dict[str, Any]:
    """Return a Redis that listens on one address."""
    check = {"tcpSocket": {"port": names.REDIS_PORT}}
    if address == LOOPBACK:
        check = {"exec": {"command": ["redis-cli", "-h", address, "ping"]}}
    return {
        "name": names.REDIS,
        "image": image,
        "command": ["redis-server", "--bind", address, *REDIS_SETTINGS],
        "ports": [{"name": "redis", "containerPort": names.REDIS_PORT, "protocol": "TCP"}],
        "securityContext": RESTRICTED_CONTAINER,
        "resources": resources(Resources()),
        "volumeMounts": [SCRATCH_MOUNT],
        "readinessProbe": check,
    }
