"""What a proxy of the mesh writes down of each request, as the Telemetry objects and the mesh's providers say.

A Telemetry for a workload takes the place of its namespace's, and that of the mesh's (Istio, "Telemetry API: scope, inheritance, and
overrides"). Which one holds where two of the same reach select a pod, nobody says.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.reading.meshes import Mesh
from policies.reading.pods import Pod, Pods
from policies.reading.resource import Resource
from policies.reading.values import mapping, sequence

TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "the caller": ("%DOWNSTREAM_PEER_URI_SAN%",),
    "the method": ("%REQ(:METHOD)%",),
    "the path": ("%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%", "%REQ_WITHOUT_QUERY(:PATH)%", "%PATH(NQ:ORIG_OR_PATH)%"),
    "the status": ("%RESPONSE_CODE%",),
}
"""What each entry of an audit says, and Envoy's command operators that say it."""


class AccessLogs:
    """Telemetry objects that say something of access logs, by whom they hold for."""

    def __init__(self) -> None:
        """Begin with no Telemetry."""
        self._workloads: defaultdict[Pod, list[Resource]] = defaultdict(list)
        self._namespaces: defaultdict[str, list[Resource]] = defaultdict(list)

    def add(self, telemetry: Resource, pods: Pods) -> None:
        """Add a Telemetry.

        Raises:
            UnknownValueError: if it is not known for whom it holds.
        """
        if telemetry.at("spec", "targetRefs") or telemetry.at("spec", "accessLogging") is None:
            return
        selector: Mapping[str, Any] = telemetry.at("spec", "selector", default={})
        if not selector:
            self._namespaces[telemetry.namespace].append(telemetry)
        for pod in pods.selected(telemetry.namespace, selector) if selector else ():
            self._workloads[pod].append(telemetry)

    def holding(self, pod: Pod, mesh: Mesh) -> list[Resource]:
        """Return the Telemetry objects of the nearest reach that hold for a pod."""
        for found in (self._workloads.get(pod, []), self._namespaces.get(pod.namespace, []), self._namespaces.get(mesh.root_namespace, [])):
            if read := [each for each in found if mesh.reads(each)]:
                return read
        return []


def gaps(telemetry: Resource, mesh: Mesh) -> Iterator[str]:
    """Yield why some requests, or something of them, are not written down.

    Raises:
        UnknownValueError: if it cannot be told.
    """
    named: set[str] = set()
    for entry in map(mapping, telemetry.at("spec", "accessLogging", default=[])):
        if entry.get("disabled"):
            yield "is switched off (`disabled`)"
        if expression := mapping(entry.get("filter")).get("expression"):
            yield f"leaves out what is not `{expression}`"
        if entry.get("match"):
            yield "is for one direction (`match`)"
        named |= {mapping(each)["name"] for each in sequence(entry.get("providers"))}
    providers = [each for each in map(mapping, sequence(mesh.config.get("extensionProviders"))) if each["name"] in named]
    if not providers:
        yield "names no provider of the mesh"
    elif untold := min((_untold(provider) for provider in providers), key=len):
        yield f"does not tell {' and '.join(untold)} of a request"


def _untold(provider: Mapping[str, Any]) -> list[str]:
    """Return what the entries of a provider do not tell."""
    labels = mapping(mapping(mapping(provider.get("envoyFileAccessLog")).get("logFormat")).get("labels"))
    return [what for what, operators in TOLD.items() if not _any_of(operators, labels.values())]


def _any_of(operators: Iterable[str], written: Iterable[str]) -> bool:
    return not set(operators).isdisjoint(written)
