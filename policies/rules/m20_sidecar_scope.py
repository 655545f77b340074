"""M20: a proxy knows whom its service calls, and nobody else."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import attempt
from policies.layers import FRONT, Collector, Layer, Layers, Workload, collectors, layers_of, workload
from policies.reading.meshes import Proxy
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.services import host_of
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

ANYWHERE: Final = frozenset({"*", "."})
NOTHING: Final = "~"
"""In front of a host: the host is left out. In place of the namespace: nothing is known."""


class M20(Rule):
    """The Sidecar of every service lists its callees and nothing more.

    Forbids:
        A service without a Sidecar, or with one whose `egress.hosts` name a wildcard (`*/*`, `./*`, `shop/*`), a service that it
        does not call, the edge, the API gateway or the mesh ingress; and a Sidecar that leaves a declared callee out; two Sidecars for the
        same pods. Undecided is a Sidecar with `ingress` listeners.

    Why:
        Without a Sidecar istiod tells every proxy about every service of the mesh: whoever breaks into one pod reads the map
        of all, and may try each. With `outboundTrafficPolicy: REGISTRY_ONLY` what is not listed cannot be called through the
        proxy at all. It also keeps proxies small: configuration grows with calls, not with the square of services.

    Instead:
        List callees in full::

            kind: Sidecar
            metadata: {name: cart, namespace: shop}
            spec:
              workloadSelector: {labels: {app: cart}}
              egress:
                - hosts: [shop/orders.shop.svc.cluster.local]
    """

    id = "M20"
    name = "sidecars-know-their-callees"
    severity = Severity.HIGH
    frameworks = ("Istio performance and scalability",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the Sidecar that holds for each pod of a service."""
        layers = layers_of(stack)
        known = _Names(layers, stack)
        for pod in stack.pods:
            member = stack.member(pod)
            if member and member[1] is Proxy.SIDECAR and pod.namespace in stack.app_namespaces and not pod.maker:
                yield from attempt(self, pod.resource, self._pod(pod, known, stack))

    def _pod(self, pod: Pod, known: "_Names", stack: Stack) -> Iterator[Finding]:
        sidecar = stack.traffic.sidecar(pod)
        if sidecar is None:
            yield self.broken(
                pod.resource,
                "no Sidecar holds for its pods: their proxies know every service of the mesh",
                "add a Sidecar with its callees",
            )
            return
        if rivals := self.rivals(sidecar, pod, stack):
            names = ", ".join(map(str, rivals))
            yield self.broken(sidecar, f"{names} selects {pod} too: which of them holds depends on their age", "keep one of them")
        if sidecar.at("spec", "ingress", default=[]):
            yield self.undecided(
                sidecar, f"its `ingress` gives {pod} listeners of their own, and what they let in is not followed", "remove spec.ingress"
            )
        listed: set[str] = set()
        for listener in sidecar.at("spec", "egress", default=[]):
            for host in listener.get("hosts") or ():
                if host.startswith(NOTHING):
                    continue
                namespace, _, name = str(host).partition("/")
                listed.add(name)
                if reason := known.objection(pod, namespace, name):
                    yield self._objection(sidecar, pod, host, reason)
        if not sidecar.at("spec", "egress", default=[]):
            yield self.broken(sidecar, f"it names no hosts, so the proxies of {pod} know every service of the mesh", "list egress.hosts")
            return
        for callee, names in known.callees(pod).items():
            if not listed & names:
                yield self.broken(sidecar, f"it leaves {callee} out, which {pod} may call", "list the callee")

    @staticmethod
    def rivals(sidecar: Resource, pod: Pod, stack: Stack) -> tuple[Resource, ...]:
        """Return the other Sidecars that hold for a pod as much as its own does."""
        return tuple(other for other in stack.traffic.sidecars(pod) if other is not sidecar)

    def _objection(self, sidecar: Resource, pod: Pod, host: str, reason: str) -> Finding:
        return self.broken(sidecar, f"it tells the proxies of {pod} about {host}: {reason}", "list declared callees only")


class _Names:
    """Host names by what they lead to."""

    def __init__(self, layers: Layers, stack: Stack) -> None:
        self.layers, self.stack = layers, stack
        self.telemetry: frozenset[Collector] = collectors(stack.meshes)
        self.hosts: defaultdict[Workload, set[str]] = defaultdict(set)
        self.workloads: defaultdict[tuple[str, str], set[Workload]] = defaultdict(set)
        for service in stack.services:
            for pod in service.pods:
                self.hosts[workload(pod)].add(service.fqdn)
                self.workloads[service.namespace, service.name].add(workload(pod))

    def callees(self, pod: Pod) -> Mapping[str, frozenset[str]]:
        """Return the hosts by which each declared callee of a pod is known."""
        own = workload(pod)
        found = {f"service {name}": frozenset(self.hosts[namespace, name]) for namespace, name in self.layers.calls.get(own, ())}
        found |= {f"host {host}": frozenset({host}) for host in self.layers.exits.get(own, ())}
        return found

    def objection(self, pod: Pod, namespace: str, name: str) -> str:
        """Return why a pod's proxy must not know a host; empty where it may."""
        own = workload(pod)
        if namespace in ANYWHERE or "*" in name:
            return "a wildcard"
        if name in self.layers.exits.get(own, ()) or any(collector.host == name for collector in self.telemetry):
            return ""
        meant = host_of(name, namespace)
        if meant is None:
            return "no host that the topology lets it call"
        place = (meant[1], meant[0])
        layer = self.layers.services.get(place)
        if layer in FRONT:
            return f"{layer}, through which requests come in"
        if layer is not None:
            return "" if self._may_use(layer, pod) else f"{layer}, which it has no business with"
        targets = self.workloads.get(place, set())
        if targets and targets <= self.layers.calls.get(own, frozenset()):
            return ""
        return "a service that it may not call" if targets else "a Service that this stack does not show"

    def _may_use(self, layer: Layer, pod: Pod) -> bool:
        match layer:
            case Layer.EGRESS:
                return workload(pod) in self.layers.exits
            case Layer.BRIDGE:
                return workload(pod) in self.layers.bridged
            case Layer.LIMITER:
                return pod in self.layers.limited
            case _:
                return False
