"""Pods: what every workload kind makes from its template, in one view."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from policies.reading.resource import Resource
from policies.reading.selectors import Labels, matches, matches_labels
from policies.reading.values import UnknownValueError, mapping, sequence

TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "DeploymentConfig": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Rollout": ("spec", "template"),
    "PodTemplate": ("template",),
}
"""Where each workload kind keeps its pod template."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pod:
    """A pod template: what each pod made from it will be."""

    resource: Resource
    """The workload; for a pod that a chart or a controller makes, the Release or Gateway that makes it make it."""
    kind: str
    namespace: str
    name: str
    labels: Labels
    annotations: Labels
    spec: Mapping[str, Any]
    """The pod spec. Of a pod made by a chart or controller it holds only what is known of it."""
    maker: str = ""
    """Empty for a workload of the program; else who makes the pod: `istio/gateway`, `envoy-gateway` ..."""

    def __str__(self) -> str:
        """Name the pods as people do: `pods of Deployment abc/b-v1`."""
        return f"pods of {self.kind} {self.namespace}/{self.name}"

    @cached_property
    def service_account(self) -> str:
        """Return the ServiceAccount's name; `default` where none is given."""
        return self.spec.get("serviceAccountName") or self.spec.get("serviceAccount") or "default"

    @cached_property
    def containers(self) -> tuple[Mapping[str, Any], ...]:
        """Return the containers, without init containers."""
        return tuple(sequence(self.spec.get("containers")))

    @cached_property
    def init_containers(self) -> tuple[Mapping[str, Any], ...]:
        """Return the init containers."""
        return tuple(sequence(self.spec.get("initContainers")))

    @cached_property
    def all_containers(self) -> tuple[Mapping[str, Any], ...]:
        """Return containers, init containers and ephemeral containers."""
        return (*self.containers, *self.init_containers, *sequence(self.spec.get("ephemeralContainers")))

    @cached_property
    def volumes(self) -> tuple[Mapping[str, Any], ...]:
        """Return the volumes."""
        return tuple(sequence(self.spec.get("volumes")))

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Return the names of the Secrets that the pod mounts."""
        sources = [source for volume in self.volumes for source in sequence(mapping(volume.get("projected")).get("sources"))]
        found = [mapping(volume.get("secret")).get("secretName") for volume in self.volumes]
        return frozenset(filter(None, (*found, *(mapping(source.get("secret")).get("name") for source in sources))))

    @cached_property
    def host_network(self) -> bool:
        """Say whether the pod uses the node's network, where no NetworkPolicy and no sidecar reaches it."""
        return bool(self.spec.get("hostNetwork", False))

    def port_number(self, port: int | str) -> int | None:
        """Return the container port of a number or name; None for a name that no container has."""
        if isinstance(port, int):
            return port
        if port.isdigit():
            return int(port)
        for container in self.containers:
            for entry in sequence(container.get("ports")):
                if entry.get("name") == port:
                    return entry.get("containerPort")
        return None

    def env(self) -> Iterator[tuple[str, str, Any]]:
        """Yield container name, variable name and value of every variable that is given as a value."""
        for container in self.all_containers:
            for entry in sequence(container.get("env")):
                if "value" in entry:
                    yield container.get("name", ""), entry["name"], entry["value"]

    @property
    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Return address and name of every host that the pod knows by `hostAliases`, before any name service."""
        return tuple(
            (str(alias.get("ip", "")), str(name).lower())
            for alias in map(mapping, sequence(self.spec.get("hostAliases")))
            for name in sequence(alias.get("hostnames"))
        )

    def config_maps(self) -> Iterator[str]:
        """Yield the names of the ConfigMaps that the pod mounts or takes variables from."""
        for volume in self.volumes:
            if name := mapping(volume.get("configMap")).get("name"):
                yield name
            for source in sequence(mapping(volume.get("projected")).get("sources")):
                if name := mapping(source.get("configMap")).get("name"):
                    yield name
        for container in self.all_containers:
            for source in sequence(container.get("envFrom")):
                if name := mapping(source.get("configMapRef")).get("name"):
                    yield name
            for entry in sequence(container.get("env")):
                if name := mapping(mapping(entry.get("valueFrom")).get("configMapKeyRef")).get("name"):
                    yield name


def pod_of(resource: Resource, *, maker: str = "") -> Pod | None:
    """Return the pods of a workload, or None for a resource of another kind.

    Raises:
        UnknownValueError: if template, labels or annotations are not known.
    """
    if resource.kind not in TEMPLATES:
        return None
    path = TEMPLATES[resource.kind]
    template: Mapping[str, Any] = resource.at(*path, default={}) if path else resource.props
    metadata = mapping(template.get("metadata"))
    return Pod(
        resource=resource,
        kind=resource.kind,
        namespace=resource.namespace,
        name=resource.name,
        labels=_strings(metadata.get("labels"), resource, "labels"),
        annotations=_strings(metadata.get("annotations"), resource, "annotations"),
        spec=mapping(template.get("spec")),
        maker=maker,
    )


def _strings(value: Any, resource: Resource, what: str) -> Labels:
    given = mapping(value)
    for key, item in given.items():
        if not isinstance(item, str):
            raise UnknownValueError(f"{resource}: {what}.{key}", f"not a string but {type(item).__name__}")
    return given


class Pods:
    """Pods, indexed so that a selector asks only few of them."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        """Index pods by namespace and by each label."""
        self.all = tuple(pods)
        self._by_namespace: defaultdict[str, list[Pod]] = defaultdict(list)
        self._by_label: defaultdict[tuple[str, str, str], list[Pod]] = defaultdict(list)
        for pod in self.all:
            self._by_namespace[pod.namespace].append(pod)
            for key, value in pod.labels.items():
                self._by_label[pod.namespace, key, value].append(pod)

    def __iter__(self) -> Iterator[Pod]:
        """Yield every pod."""
        return iter(self.all)

    def __len__(self) -> int:
        """Return how many pod templates there are."""
        return len(self.all)

    def of_namespace(self, namespace: str) -> tuple[Pod, ...]:
        """Return the pods of a namespace."""
        return tuple(self._by_namespace.get(namespace, ()))

    def with_labels(self, namespace: str, wanted: Labels) -> tuple[Pod, ...]:
        """Return the pods of a namespace that hold every wanted label; all of them where nothing is wanted."""
        return tuple(pod for pod in self._candidates(namespace, wanted) if matches_labels(wanted, pod.labels))

    def selected(self, namespace: str, selector: Mapping[str, Any] | None) -> tuple[Pod, ...]:
        """Return the pods of a namespace that a `LabelSelector` selects."""
        wanted = mapping(mapping(selector).get("matchLabels"))
        return tuple(pod for pod in self._candidates(namespace, wanted) if matches(selector, pod.labels))

    def _candidates(self, namespace: str, wanted: Labels) -> list[Pod]:
        if not wanted:
            return self._by_namespace.get(namespace, [])
        return min((self._by_label.get((namespace, key, value), []) for key, value in wanted.items()), key=len)
