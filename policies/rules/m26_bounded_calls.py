"""M26: calls end, and a failing service is left alone."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.callers import callers, hosts
from policies.checks import at, attempt
from policies.ejections import loosened, span, whole
from policies.faults import Faults, undeclared
from policies.reading.durations import length
from policies.reading.meshes import Proxy
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import mapping, sequence
from policies.reading.virtual_services import full_host
from policies.rule import Finding, Rule, Severity
from topology.model.base import seconds
from topology.model.service import Protocol, Resilience, Retries, Service
from topology.model.system import COMPOSITION_PORT, Topology

USUAL_RETRIES: Final = 2
"""So often Istio tries again where nothing is said (`retries` of VirtualService)."""

USUAL_FAILURES: Final = "connect-failure,refused-stream,unavailable,cancelled"
"""After these failures Istio tries again where nothing is said (`retryOn` of HTTPRetry)."""

_WHOSE: Final = "select the pods of the fault's callers by sourceLabels and sourceNamespace"


class M26(Rule):
    """Calls to a service wait, try again and queue no more than the topology says, and leave instances that fail alone.

    Forbids:
        - a route of a VirtualService to a service without `timeout`, with `0s`, or with more than `resilience.timeout` of the topology;
          only streams (WebSocket) have none;
        - more tries than `resilience.retries`, also by saying nothing, which means two; tries that last longer than `perTry`, or after
          failures that `retryOn` does not name: a payment that the service has begun to work on is made twice;
        - calls that a route fails or holds back on purpose (`fault`), where the topology has no such `faults`, or has them for other
          callers: `sourceLabels` and `sourceNamespace` select more pods than those of `callers`, or others; and the calls of a caller
          that a fault is for, where they do not meet it;
        - a DestinationRule of a service, or a subset in it, without `connectionPool`, or with more connections, waiting requests or
          requests on one connection than `resilience.connections`; without `outlierDetection` where the topology has an `ejection`, or with one that takes more
          errors, looks more seldom, lasts less long or spares more instances (`minHealthPercent`, another `maxEjectionPercent`);
        - an allowed call for which the caller's proxy has no DestinationRule, or no route, of the service: none is there, none is
          exported to the caller, or its `workloadSelector` means other pods. Only TCP needs no route.

    Why:
        One service that hangs holds every caller that waits for it, and theirs, up to the edge. Tries on top of a failure are what
        turns it into an outage: each layer that tries three times makes nine of three.

    Instead:
        Bounds in the topology, which become those of the mesh::

            services:
              b:
                resilience:
                  timeout: 2s
                  connections: {maxConnections: 64, maxPending: 16}
    """

    id = "M26"
    name = "calls-are-bounded"
    severity = Severity.MEDIUM
    frameworks = ("CWE-400", "OWASP API4:2023")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every route to a service, then how callers connect to it."""
        services = _by_host(stack.intent)
        yield from self.over(stack.of("VirtualService.networking.istio.io"), lambda resource: self._routes(resource, services))
        yield from dict.fromkeys(self._failing(stack))
        yield from self.over(stack.of("DestinationRule.networking.istio.io"), lambda resource: self._connections(resource, services))
        for (caller, host), sender in sorted(callers(stack, services).items()):
            yield from attempt(self, sender.resource, self._unbounded(stack, caller, sender, host, services[host]))

    def _failing(self, stack: Stack) -> Iterator[Finding]:
        """Yield whose calls fail on purpose otherwise than the topology says; what several pods of a caller meet is said once."""
        faults = Faults(stack)
        if not faults.hosts:
            return
        for (_, host), sender in sorted(callers(stack, faults.hosts).items()):
            found = (self.broken(resource, wrong, _WHOSE) for resource, wrong in faults.met(sender, host))
            yield from attempt(self, sender.resource, found)
        gateways = stack.of("VirtualService.networking.istio.io")
        yield from self.over(gateways, lambda resource: (self.broken(resource, wrong, _WHOSE) for wrong in faults.let_in(resource)))

    def _unbounded(self, stack: Stack, caller: str, sender: Pod, host: str, service: Service) -> Iterator[Finding]:
        """Yield what a caller's proxy does not know of a service that it calls; what it knows is checked where that is written."""
        member = stack.member(sender)
        if member is None:
            return
        applied = stack.traffic.applied(sender, host)
        if not any(full_host(rule.at("spec", "host"), rule.namespace) == host for rule in applied):
            yield self.broken(
                sender.resource,
                f"no DestinationRule bounds the calls of {caller} to {host}",
                "give the service a DestinationRule with the bounds of the topology, exported to its callers",
            )
        if member[1] is Proxy.GATEWAY or service.protocol is Protocol.TCP:
            return  # A gateway sends nothing without a route.
        if not any(not route.tcp for route in stack.traffic.mesh_routes(sender, host, service.port)):
            yield self.broken(
                sender.resource,
                f"no route bounds the calls of {caller} to {host}: they wait without end, and are tried {USUAL_RETRIES} times again",
                "give the service a VirtualService with the timeout and retries of the topology, exported to its callers",
            )

    def _routes(self, resource: Resource, services: Mapping[str, Service]) -> Iterator[Finding]:
        for route in map(mapping, resource.at("spec", "http", default=[])):
            hosts = [full_host(at(each, "destination", "host"), resource.namespace) for each in sequence(route.get("route"))]
            for host in dict.fromkeys(host for host in hosts if host in services):
                yield from self._route(resource, route, host, services[host])

    def _route(self, resource: Resource, route: Mapping[str, Any], host: str, service: Service) -> Iterator[Finding]:
        said, most = route.get("timeout"), service.resilience.timeout
        wait = length(str(said)) if said is not None else 0
        stream = said is None and service.protocol is Protocol.WEBSOCKET
        if not stream and (not wait or wait > seconds(most)):
            how = "without end" if not wait else said
            yield self.broken(resource, f"waits for {host} {how}; the topology says {most}", "give the timeout of the topology")
        attempts = whole(at(route, "retries", "attempts", default=USUAL_RETRIES), f"{resource}: retries.attempts")
        allowed = service.resilience.retries.attempts if service.resilience.retries else 0
        if attempts > allowed:
            yield self.broken(
                resource, f"tries {host} {attempts} times again; the topology says {allowed}", f"set retries.attempts: {allowed}"
            )
        elif attempts and service.resilience.retries:
            for wrong in _tried_otherwise(mapping(route.get("retries")), service.resilience.retries, wait or seconds(most)):
                yield self.broken(resource, f"tries {host} again {wrong}", "give the retries of the topology")
        for wrong in undeclared(route, service):
            yield self.broken(resource, f"{wrong} of calls of {host} on purpose, of which the topology says nothing", "take the fault away")

    def _connections(self, resource: Resource, services: Mapping[str, Service]) -> Iterator[Finding]:
        service = services.get(full_host(resource.at("spec", "host"), resource.namespace))
        if service is None:
            return
        policy = mapping(resource.at("spec", "trafficPolicy"))
        yield from self._policy(resource, "trafficPolicy", policy, service)
        # A port's settings stand alone; a subset's take the place of the rule's, field by field (Istio, DestinationRule).
        own = [("portLevelSettings", mapping(each)) for each in sequence(policy.get("portLevelSettings"))]
        own += [
            (f"subset {each.get('name')}", {**policy, **mapping(each["trafficPolicy"])})
            for each in map(mapping, sequence(resource.at("spec", "subsets")))
            if each.get("trafficPolicy")
        ]
        for where, narrower in own:
            yield from self._policy(resource, where, narrower, service)

    def _policy(self, resource: Resource, where: str, policy: Mapping[str, Any], service: Service) -> Iterator[Finding]:
        bounds, pool = service.resilience.connections, mapping(policy.get("connectionPool"))
        limits = {"tcp.maxConnections": bounds.max_connections}
        if service.protocol is not Protocol.TCP:
            limits["http.http1MaxPendingRequests"] = bounds.max_pending
        for path, most in limits.items():
            said = at(pool, *path.split("."))
            if said is None or not 0 < whole(said, f"{resource}: {where}.connectionPool.{path}") <= most:
                yield self.broken(
                    resource, f"{where}: connectionPool.{path} is {said or 'without bound'}; the topology says {most}", f"set it to {most}"
                )
        field, often = "http.maxRequestsPerConnection", bounds.max_requests_per_connection
        said = whole(at(pool, *field.split("."), default=0), f"{resource}: {where}.connectionPool.{field}")
        if service.protocol is not Protocol.TCP and often and not 0 < said <= often:
            yield self.broken(
                resource, f"{where}: connectionPool.{field} is {said or 'without bound'}; the topology says {often}", f"set it to {often}"
            )
        if service.resilience.ejection:
            for field, said, wanted in loosened(mapping(policy.get("outlierDetection")), service.resilience.ejection):
                yield self.broken(
                    resource,
                    f"{where}: an instance that fails goes on getting calls: outlierDetection.{field} is "
                    f"{'absent' if said is None else said}; the topology says {wanted}",
                    f"set outlierDetection.{field}: {wanted}",
                )


def _by_host(t: Topology) -> dict[str, Service]:
    """Return services by their host in the cluster; a composition is a service without anything of its own."""
    composed = Service(port=COMPOSITION_PORT, resilience=Resilience())
    return {host: t.services.get(name, composed) for host, name in hosts(t).items()}


def _tried_otherwise(given: Mapping[str, Any], wanted: Retries, wait: float) -> Iterator[str]:
    """Yield how calls are tried again otherwise than the topology says. A try without a bound of its own lasts as long as the call."""
    said = given.get("perTryTimeout")
    each = wait if said is None else span(said, "retries.perTryTimeout")
    if not 0 < each <= seconds(wanted.per_try):
        yield f"for {each:g} seconds each time; the topology says {wanted.per_try}"
    after = {text.strip() for text in str(given.get("retryOn") or USUAL_FAILURES).split(",")}
    if more := sorted(after - set(wanted.retry_on)):
        yield f"after {', '.join(more)}; the topology says {', '.join(wanted.retry_on)}"
