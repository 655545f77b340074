"""The parts of Kubernetes objects that NetworkPolicies speak about, and the cluster as the API server has described it so far."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

Json = Mapping[str, Any]
Labels = Mapping[str, str]
ENDED: Final = frozenset({"Succeeded", "Failed"})
"""Phases of a pod that holds no address any more."""


class NamedPort(NamedTuple):
    """A port that a container gave a name."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pod:
    """A pod with an address of its own. Pods of the host's network and pods that ended are none."""

    namespace: str
    labels: Labels
    address: str
    created: str
    """RFC 3339 in UTC, so that text order is the order in time."""
    ports: frozenset[NamedPort]


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A NetworkPolicy: `spec` is that of networking.k8s.io/v1."""

    namespace: str
    name: str
    spec: Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Everything that decides who may talk to whom, at one moment."""

    namespaces: Mapping[str, Labels]
    pods: Mapping[str, Pod]
    """By address."""
    policies: tuple[Policy, ...]


def pod(given: Json) -> Pod | None:
    """Read a pod of the API server. None: it has no address of its own (yet, or any more)."""
    metadata, spec, status = given["metadata"], given["spec"], given.get("status", {})
    address = status.get("podIP")
    if not address or spec.get("hostNetwork") or status.get("phase") in ENDED:
        return None
    containers = [*spec.get("containers", ()), *spec.get("initContainers", ())]
    ports = [port for container in containers for port in container.get("ports", ()) if "name" in port]
    return Pod(
        namespace=metadata["namespace"],
        labels=metadata.get("labels") or {},
        address=address,
        created=metadata.get("creationTimestamp") or "",
        ports=frozenset(NamedPort(port["name"], port.get("protocol", "TCP"), port["containerPort"]) for port in ports),
    )


def policy(given: Json) -> Policy:
    """Read a NetworkPolicy of the API server."""
    return Policy(namespace=given["metadata"]["namespace"], name=given["metadata"]["name"], spec=given.get("spec") or {})


def namespace(given: Json) -> Labels:
    """Read a Namespace of the API server: its labels."""
    return given["metadata"].get("labels") or {}


READERS: Final = {"pods": pod, "networkpolicies": policy, "namespaces": namespace}
"""The kinds that are followed, by the plural name of the API."""


def _key(given: Json) -> tuple[str, str]:
    return given["metadata"].get("namespace", ""), given["metadata"]["name"]


@dataclass(slots=True)
class Known:
    """What is known of the cluster, kept up to date by lists and events."""

    _objects: dict[str, dict[tuple[str, str], Pod | Policy | Labels]] = field(
        default_factory=dict[str, dict[tuple[str, str], Pod | Policy | Labels]]
    )

    @property
    def complete(self) -> bool:
        """Whether every kind was listed at least once."""
        return self._objects.keys() == READERS.keys()

    def replace(self, kind: str, given: Iterable[Json]) -> bool:
        """Take a full list of a kind; tell whether it says anything new."""
        read = {_key(one): READERS[kind](one) for one in given}
        found = {key: value for key, value in read.items() if value is not None}
        changed = self._objects.get(kind) != found
        self._objects[kind] = found
        return changed

    def put(self, kind: str, given: Json) -> bool:
        """Take an object that was added or changed; tell whether it says anything new."""
        read = READERS[kind](given)
        if read is None:
            return self.remove(kind, given)
        changed = self._objects[kind].get(_key(given)) != read
        self._objects[kind][_key(given)] = read
        return changed

    def remove(self, kind: str, given: Json) -> bool:
        """Forget an object; tell whether it was known."""
        return self._objects[kind].pop(_key(given), None) is not None

    def cluster(self) -> Cluster:
        """Return the cluster as it is known now. Of two pods with one address the younger holds it."""
        pods = sorted((one for one in self._objects["pods"].values() if isinstance(one, Pod)), key=lambda one: one.created)
        return Cluster(
            namespaces={name: one for (_, name), one in self._objects["namespaces"].items() if isinstance(one, Mapping)},
            pods={one.address: one for one in pods},
            policies=tuple(one for _, one in sorted(self._objects["networkpolicies"].items()) if isinstance(one, Policy)),
        )
