"""P04: every declared service has everything that guards it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.checks import at
from policies.reading.charts import chart_name
from policies.reading.controllers import GATEWAY_API, Controller
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import sequence
from policies.reading.versions import unanswered, version_of
from policies.reading.weakening import is_guard
from policies.rule import Finding, Rule, Severity
from topology.edges import identity
from topology.model.system import Topology


@dataclass(frozen=True, kw_only=True)
class _Guard:
    """A kind of object that every workload has one of, and where it says which pods it is for."""

    kind: str
    group: str
    selector: tuple[str, ...]
    what: str

    def covered(self, resource: Resource, stack: Stack) -> tuple[Pod, ...]:
        """Return the pods that a guard selects by labels; a guard without selector is the namespace's, not the workload's."""
        selector: Mapping[str, Any] = resource.at(*self.selector, default={})
        if not selector:
            return ()
        is_expression = self.selector[-1] == "podSelector"
        return stack.pods.selected(resource.namespace, selector if is_expression else {"matchLabels": selector})


GUARDS: Final = (
    _Guard(
        kind="AuthorizationPolicy",
        group="security.istio.io",
        selector=("spec", "selector", "matchLabels"),
        what="who may call it",
    ),
    _Guard(
        kind="NetworkPolicy",
        group="networking.k8s.io",
        selector=("spec", "podSelector"),
        what="what may connect to it and what it may connect to",
    ),
    _Guard(
        kind="Sidecar",
        group="networking.istio.io",
        selector=("spec", "workloadSelector", "labels"),
        what="which hosts its proxy knows",
    ),
)
"""What must select the pods of every workload by labels."""


CHARTS: Final[Mapping[str, str]] = {Controller.ENVOY_GATEWAY.value: "gateway-helm", Controller.KONG.value: "kong"}
"""The chart of each controller of Gateways."""

ISTIO_TYPES: Final = "base"
"""The chart that defines the kinds of objects which istiod reads."""

OF_ISTIO: Final = frozenset({"envoy"})
"""Providers of access logs that every mesh has (istio 1.31, `DefaultMeshConfig`)."""

LOCALITY: Final = "topology.istio.io/locality"
"""The label by which a pod says where it runs, as `region.zone`: its calls go to the nearest (Istio, "Locality Load Balancing")."""

OF_THE_CLUSTER: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that every cluster has."""


class P04(Rule):
    """Every service of the topology owns an account, a workload, a Service, and a policy of each kind that guards it.

    Forbids:
        A service or composition of the topology without its own ServiceAccount, Deployment (for each version), Service,
        AuthorizationPolicy, NetworkPolicy or Sidecar. A policy counts when its selector really selects the service's pods: one whose selector
        matches nothing is as good as absent, and one without selector belongs to the namespace, not to the service.
        The same goes for a namespace that guards lie in, and for the Release of cert-manager, Envoy Gateway, Kong or Istio's
        `base` where Certificates, a GatewayClass or istiod need it. A workload of no instances (`replicas: 0`) where the topology
        asks for some; one at other datacenters than the service's, by the label from which Istio tells; a route to a Service, or to a version of it, that no workload stands behind. A mesh whose root namespace has
        no Telemetry with `accessLogging`, and a Telemetry that selects no pod or logs by a provider which its mesh does not have.

    Why:
        Most rules look at what is there. What is missing breaks none of them: a service whose AuthorizationPolicy was lost, or
        whose label was changed in one place only, would be guarded by nothing but the namespace's default, and nobody would
        hear of it until its callers fail, or until somebody repairs that with a wider policy.

    Instead:
        Derive the whole set from the topology. For a service `b` of the namespace `abc`::

            kind: AuthorizationPolicy
            metadata: {name: b, namespace: abc}
            spec:
              selector: {matchLabels: {app: b}}   # the labels of the pods of Deployment b-v1
    """

    id = "P04"
    name = "services-are-complete"
    severity = Severity.HIGH
    frameworks = ("CKV2_K8S_6", "C-0260")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Look for what each service of the topology must own."""
        covered: dict[str, set[Pod]] = {guard.kind: set() for guard in GUARDS}
        for guard in GUARDS:
            yield from self.over(
                stack.of(f"{guard.kind}.{guard.group}"),
                lambda resource, guard=guard: covered[guard.kind].update(guard.covered(resource, stack)),
            )
        for name in (*stack.intent.services, *stack.intent.compositions):
            yield from self._service(stack, name, covered)
        yield from self._ground(stack)
        yield from self._logs(stack)
        yield from self.over(stack.of("Telemetry.telemetry.istio.io"), lambda resource: self._logged(resource, stack))
        yield from self.over(stack.of("Deployment.apps", "StatefulSet.apps"), lambda resource: self._runs(resource, stack))
        yield from self.over(stack.of("VirtualService.networking.istio.io"), lambda resource: self._answered(resource, stack))

    def _ground(self, stack: Stack) -> Iterator[Finding]:
        """Look for what guards stand on: their namespaces, and the controllers that make them work."""
        homes: dict[str, Resource] = {}
        for resource in stack.resources:
            if resource.namespace and is_guard(resource):
                homes.setdefault(resource.namespace, resource)
        for namespace, resource in homes.items():
            if namespace not in stack.namespaces and namespace not in OF_THE_CLUSTER:
                yield self.broken(resource, f"the program has no Namespace {namespace}, in which it lies", "add the Namespace")
        charts = {chart_name(release) for release in stack.releases}
        users = [("cert-manager", each) for each in stack.of("Certificate.cert-manager.io")]
        users += [(ISTIO_TYPES, mesh.release) for mesh in stack.meshes]
        for each in stack.of(f"GatewayClass.{GATEWAY_API}"):
            chart = CHARTS.get(each.at("spec", "controllerName", default=""))
            users += [(chart, each)] if chart else []
        missing = {chart: user for chart, user in reversed(users) if chart not in charts}
        for chart, user in missing.items():
            yield self.broken(user, f"no Release of the chart {chart} is in the program, without which it does nothing", "add the Release")

    def _logs(self, stack: Stack) -> Iterator[Finding]:
        """Look for what makes the proxies of each mesh log."""
        logging = {
            each.namespace
            for each in stack.of("Telemetry.telemetry.istio.io")
            if not (each.at("spec", "selector") or each.at("spec", "targetRefs"))
            and any(at(entry, "providers") for entry in each.at("spec", "accessLogging", default=[]))
        }
        for mesh in stack.meshes:
            if mesh.root_namespace not in logging and not at(mesh.config, "accessLogFile"):
                yield self.broken(
                    mesh.release,
                    f"no Telemetry in {mesh.root_namespace} makes its proxies log: who called whom is not written down",
                    "add one",
                )

    def _logged(self, telemetry: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that a Telemetry is for some pod, and names a way of logging that exists: Istio ignores another, and nothing is logged."""
        selector: Mapping[str, Any] = telemetry.at("spec", "selector", default={})
        if selector and not stack.pods.selected(telemetry.namespace, selector):
            yield self.broken(telemetry, "its selector matches no pod: what it says of logs holds for nobody", "select the workload's pods")
        named = {
            at(each, "name") for entry in telemetry.at("spec", "accessLogging", default=[]) for each in at(entry, "providers", default=[])
        }
        for mesh in stack.meshes if named else ():
            if mesh.discovers(stack.namespace(telemetry.namespace)) and mesh.reads(telemetry):
                has = {at(provider, "name") for provider in sequence(mesh.config.get("extensionProviders"))}
                for name in sorted(named - has - OF_ISTIO):
                    yield self.broken(
                        telemetry,
                        f"logs by the provider {name}, which {mesh} does not have: nothing is written down",
                        "name one of meshConfig.extensionProviders",
                    )

    def _runs(self, workload: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that a workload has instances; a service of which the topology wants none has none."""
        if workload.at("spec", "replicas", default=1) != 0:
            return
        t = stack.intent
        wanted = {identity(t, name): service.availability.replicas for name, service in t.services.items()}
        of = next((stack.identity(pod) for pod in stack.pods.of_namespace(workload.namespace) if pod.resource is workload), "")
        if wanted.get(of, 1):
            yield self.broken(workload, "runs no instance (`replicas: 0`): what leads to it is refused", "leave replicas to the topology")

    def _answered(self, routes: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that each Service, and each version of one, that a VirtualService leads to has pods."""
        for what in unanswered(routes, stack):
            yield self.broken(routes, f"it leads to {what}, which no workload of the program runs", "add the workload, or remove the route")

    def _service(self, stack: Stack, name: str, covered: Mapping[str, set[Pod]]) -> Iterator[Finding]:
        t = stack.intent
        namespace, principal = t.namespace_of(name), identity(t, name)
        account = principal.rpartition("/")[2]
        if stack.find("ServiceAccount", namespace, account) is None:
            yield self._missing(name, f"ServiceAccount {namespace}/{account}", "it has no identity of its own")
        pods = stack.holders(principal)
        if not pods:
            yield self._missing(
                name,
                f"workload with the identity {principal}",
                f"no pods of the plan run in {namespace} as {account} with a sidecar of the mesh {t.mesh_of(name)}",
            )
            return
        for version in t.services[name].versions if name in t.services else ():
            if version not in map(version_of, pods):
                yield self._missing(
                    name, f"workload of its version {version}", "no pods with this identity have the label `version` for it"
                )
        wanted, found = _places(t, name), {pod.labels.get(LOCALITY, "") for pod in pods}
        if wanted and found != wanted:
            where = " and ".join(sorted(place or "no place" for place in found))
            message = f"its pods say that they run in {where}; the topology has it in {' and '.join(sorted(wanted))}"
            yield self.broken(pods[0].resource, message, f"give its Deployments the label {LOCALITY} of the topology's datacenters")
        if not any(stack.services_of(pod) for pod in pods):
            yield self._missing(name, "Service", f"none selects the {pods[0]}")
        for guard in GUARDS:
            for pod in pods:
                if pod not in covered[guard.kind]:
                    yield self._missing(
                        name, guard.kind, f"none in {namespace} selects the {pod} by labels, so nothing says {guard.what}", pod.resource
                    )

    def _missing(self, service: str, what: str, why: str, resource: Resource | None = None) -> Finding:
        return self.broken(
            resource,
            f"service `{service}` has no {what}: {why}",
            "add the missing object to the program, or take the service out of the topology",
        )


def _places(t: Topology, name: str) -> set[str]:
    """Return where a service or composition runs, as its pods say it; nothing where the topology has no datacenters."""
    chosen = t.services[name].datacenters if name in t.services else ()
    return {f"{t.datacenters[place].region}.{place}" for place in chosen or t.datacenters}
