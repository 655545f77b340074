"""M27: each version of a service gets the requests that the topology gives it."""

from collections.abc import Iterable, Iterator, Mapping

from policies.callers import callers, hosts
from policies.checks import attempt
from policies.reading.meshes import Proxy
from policies.reading.patterns import ByFirst
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.virtual_services import MESH, Route, gateways_of, hosts_of, routes_of
from policies.request_kinds import Doors, Kind, of_calls
from policies.rule import Finding, Rule, Severity
from policies.shares import routed, spelled
from topology.model.base import ServiceName
from topology.model.service import Protocol
from topology.model.system import Topology


class M27(Rule):
    """Requests to a service of several versions reach each of them by the weights, the canary and the mirror of the topology.

    Forbids:
        - a route to such a service by other weights than its `versions` have, to a version that they do not name, or without a
          subset, which is whichever instance is next;
        - requests with the header of `canary` that another version answers, and others that are led by another header or value;
        - a door with a `version` that another one answers;
        - copies (`mirror`) for another share of the requests than the topology says, or to another version, or none;
        - a call of the topology for which the caller's proxy has no route at all.

    Why:
        A version is put under real requests by degrees: one in ten, or a tester's alone. What decides that is one number, or one
        header, in one object. Changed there, everybody's requests meet a program that nobody has tried, or the fixed one gets none,
        and every other object is in order: both versions have the same identity and the same rights.

    Instead:
        Change the share in the topology, and leave routes and subsets to what follows from it::

            services:
              users:
                versions:
                  v1: {weight: 90}
                  v2: {weight: 10}
                canary: {header: x-canary, value: "true", version: v2}
    """

    id = "M27"
    name = "versions-get-their-share"
    severity = Severity.MEDIUM
    frameworks = ("NIST SP 800-53 CM-3",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the routes of every caller's proxy, then those of the meshes' gateways; what several callers meet is said once."""
        yield from dict.fromkeys(self._findings(stack))

    def _findings(self, stack: Stack) -> Iterator[Finding]:
        versioned = _versioned(stack.intent)
        if not versioned:
            return
        for (caller, host), sender in sorted(callers(stack, versioned).items()):
            yield from attempt(self, sender.resource, self._called(stack, caller, sender, host, versioned[host]))
        doors = Doors(stack.intent)
        for resource in stack.of("VirtualService.networking.istio.io"):
            yield from attempt(self, resource, self._entered(stack, resource, versioned, doors))

    def _called(self, stack: Stack, caller: str, sender: Pod, host: str, name: ServiceName) -> Iterator[Finding]:
        member = stack.member(sender)
        if member is None or member[1] is Proxy.GATEWAY:
            return
        service = stack.intent.services[name]
        found = stack.traffic.mesh_routes(sender, host, service.port)
        routes = [route for route in found if route.tcp is (service.protocol is Protocol.TCP)]
        if not routes:
            yield self.broken(
                sender.resource,
                f"no route tells the versions of {name} apart for {caller}: whichever instance is next answers",
                "give the service the VirtualService of the topology, exported to its callers",
            )
        yield from self._compared(stack, host, _indexed(routes), of_calls(stack.intent, name))

    def _entered(self, stack: Stack, resource: Resource, versioned: Mapping[str, ServiceName], doors: Doors) -> Iterator[Finding]:
        """Check the routes of one VirtualService on each gateway that it is bound to."""
        for gateway in (each for each in gateways_of(resource) if each != MESH):
            routes = [route for route in routes_of(resource) if gateway in route.gateways]
            indexed = _indexed(routes)
            for host in dict.fromkeys(each.host for route in routes for each in route.destinations):
                if name := versioned.get(host):
                    # What comes by a bridge comes through no door.
                    kinds = list(doors.kinds(name, hosts_of(resource))) or of_calls(stack.intent, name)
                    yield from self._compared(stack, host, indexed, kinds)

    def _compared(self, stack: Stack, host: str, routes: ByFirst[Route], kinds: Iterable[Kind]) -> Iterator[Finding]:
        for kind in kinds:
            for route in kind.answering(routes):
                if not any(each.host == host and not each.mirror for each in route.destinations):
                    continue  # whether requests may go elsewhere, M14 and the proof say
                shares = routed(route, stack)
                if shares != kind.wanted:
                    message = f"{kind.said} go to {spelled(shares)}; the topology says {spelled(kind.wanted)}"
                    yield self.broken(route.resource, message, "give each version its share of the topology")


def _indexed(routes: Iterable[Route]) -> ByFirst[Route]:
    return ByFirst((route.patterns, route) for route in routes)


def _versioned(t: Topology) -> dict[str, ServiceName]:
    """Return the services of several versions by their host."""
    return {host: name for host, name in hosts(t).items() if name in t.services and len(t.services[name].versions) > 1}
