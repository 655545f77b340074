"""What a sidecar's memory is with and without a Sidecar resource that limits what it knows, as the mesh grows."""

import copy
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.bench.path.bed import NAMESPACE, PORT, copied, pod_of, ready, sending
from tests.bench.path.cluster import Cluster, Json, Pod

SIZES: Final = (0, 100, 300, 1000)
_BATCH: Final = 100
_SETTLE: Final = 5


@dataclass(frozen=True, kw_only=True)
class Memory:
    """MiB that the two sidecars' Envoys hold, at a number of further services in the mesh."""

    services: int
    scoped: float
    unscoped: float


def _filler(number: int) -> Iterable[Json]:
    """Return a service of the mesh with one address where nobody is (RFC 5737)."""
    name = f"filler-{number}"
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"ports": [{"name": "http", "port": PORT, "appProtocol": "http"}]},
    }
    yield {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": PORT}],
        "endpoints": [{"addresses": [f"198.51.100.{number % 250 + 1}"], "conditions": {"ready": True}}],
    }


def _everything(objects: list[Json]) -> list[Json]:
    """Return a service's objects with a sidecar that knows the whole mesh, as it would without a Sidecar resource."""
    made = copy.deepcopy(objects)
    for one in made:
        if one["kind"] == "Sidecar":
            one["spec"]["egress"] = [{"hosts": ["*/*"]}]
    return made


def held(pod: Pod) -> float:
    """Return the MiB that the sidecar beside a sending container has allocated."""
    return int(json.loads(pod.run("curl", "-s", "127.0.0.1:15000/memory"))["allocated"]) / 2**20


def settled(pod: Pod) -> float:
    """Return the memory once it stays: within 1 % over some seconds, after at most two minutes."""
    before = held(pod)
    for _ in range(120 // _SETTLE):
        time.sleep(_SETTLE)
        now = held(pod)
        if abs(now - before) < before / 100:
            return now
        before = now
    return before


def measure(cluster: Cluster, caller: Pod, image: str) -> list[Memory]:
    """Fill the mesh step by step; read both sidecars after each."""
    cluster.apply(_everything(sending(copied(cluster, "a", "unscoped"), image)))
    ready(cluster)
    unscoped, found, filled = pod_of(cluster, "unscoped"), list[Memory](), 0
    for size in SIZES:
        for start in range(filled, size, _BATCH):
            cluster.apply([one for number in range(start, min(start + _BATCH, size)) for one in _filler(number)])
        filled = size
        found.append(Memory(services=size, unscoped=settled(unscoped), scoped=settled(caller)))
    return found
