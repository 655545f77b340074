"""M25: requests to audited services are written down, all of them."""

from collections.abc import Iterator

from policies.checks import attempt
from policies.layers import Layer, layers_of
from policies.reading.access_logs import AccessLogs, gaps
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from topology.edges import identity
from topology.model.base import Name, ServiceName
from topology.model.system import Topology


class M25(Rule):
    """Every request to an audited service is written down, with caller, method, path and status, and at the doors that lead to it too.

    Forbids:
        A service with `audit: true` whose proxies no Telemetry makes log; one whose Telemetry leaves requests out (`filter`, `match`,
        `disabled`), names no provider of its mesh, or one that does not tell caller, method, path and status. The same for the mesh
        ingress where a door leads to an audited service, and for both sides of a bridge to one.

    Why:
        An audit answers who asked for what, years later. The mesh's own log holds only what failed: a Telemetry that is lost leaves
        a log that looks complete, and the successful access to somebody's records is in no line of it.

    Instead:
        A Telemetry without filter for the workload::

            kind: Telemetry
            metadata: {name: b, namespace: abc}
            spec:
              selector: {matchLabels: {app: b}}
              accessLogging: [{providers: [{name: access-log}]}]
    """

    id = "M25"
    name = "audited-services-are-logged"
    severity = Severity.MEDIUM
    frameworks = ("OWASP A09:2021", "NIST SP 800-53 AU-12")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the proxies of every audited service, and of what leads to it from outside its mesh."""
        logs = AccessLogs()
        yield from self.over(stack.of("Telemetry.telemetry.istio.io"), lambda telemetry: logs.add(telemetry, stack.pods))
        for pod, service in sorted(_audited(stack).items(), key=lambda found: (found[0].namespace, found[0].name)):
            yield from attempt(self, pod.resource, self._pod(stack, pod, service, logs))

    def applies(self, stack: Stack) -> bool:
        """Say whether a service is audited."""
        return any(service.audit for service in stack.intent.services.values())

    def _pod(self, stack: Stack, pod: Pod, service: ServiceName, logs: AccessLogs) -> Iterator[Finding]:
        member = stack.member(pod)
        if member is None:
            return  # M03 and P04 say that it has no proxy
        mesh, _ = member
        why = f"requests to `{service}`, which the topology audits, pass the {pod}"
        fix = "add a Telemetry for the workload without filter, by the mesh's access log"
        holding = logs.holding(pod, mesh)
        if not holding:
            yield self.broken(pod.resource, f"{why}, and no Telemetry makes them log", fix)
        for telemetry in holding:
            for gap in gaps(telemetry, mesh):
                yield self.broken(telemetry, f"{why}, and their log {gap}", fix)


def _audited(stack: Stack) -> dict[Pod, ServiceName]:
    """Return the pods that requests to audited services pass, each with one such service."""
    t, layers = stack.intent, layers_of(stack)
    services = [name for name, service in t.services.items() if service.audit]
    found = {pod: name for name in reversed(services) for pod in stack.holders(identity(t, name))}
    for layer, meshes in ((Layer.INGRESS, _behind_doors(t)), (Layer.BRIDGE, _behind_bridges(t))):
        for pod in layers.of(layer):
            member = stack.member(pod)
            for mesh, name in meshes.items():
                if member and member[0].trust_domain == t.meshes[mesh].trust_domain:
                    found[pod] = name
    return found


def _behind_doors(t: Topology) -> dict[Name, ServiceName]:
    """Return an audited service that some door leads to, for each mesh in which the door ends."""
    found: dict[Name, ServiceName] = {}
    for door in t.doors.values():
        asked = [door.service]
        if door.service in t.compositions:
            asked = [part.service for part in t.compositions[door.service].parts.values()]
        found |= {t.mesh_of(door.service): name for name in asked if t.services[name].audit}
    return found


def _behind_bridges(t: Topology) -> dict[Name, ServiceName]:
    """Return an audited service that some bridge leads to, for the meshes on both of its sides."""
    audited = [bridge for bridge in t.bridges.values() if t.services[bridge.target].audit]
    return {t.mesh_of(side): bridge.target for bridge in audited for side in (bridge.source, bridge.target)}
