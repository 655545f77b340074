"""Application load balancers as stations on the way of requests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.balancers import Case, cases_of, listeners_of, services_of, targets_of
from policies.reading.cloud.aws.firewall import acl_of
from policies.reading.cloud.aws.samples import doors_of, sample_of
from policies.reading.cloud.aws.statements import INSPECTED, answer_of
from policies.reading.cloud.model import EDGE, Landing, Station
from policies.reading.compare import pattern_of
from policies.reading.flow import PLAIN, Flow, Peer
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError
from policies.reading.walk_cloud import Call, to_service
from topology.edges import Edge

if TYPE_CHECKING:
    from policies.reading.stack import Stack
    from policies.reading.walk import Walk

FOLLOWED: Final = frozenset({"forward", "fixed-response", "redirect"})
"""Actions whose end is known. The others ask somebody else who the client is."""

TLS: Final = frozenset({"HTTPS"})


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadBalancerStation(Station):
    """An application load balancer: listener by port, rules by priority, target group, pods."""

    stack: "Stack"
    role: str = EDGE

    def ports(self) -> Iterable[int]:
        """Return the ports of its listeners."""
        return sorted({int(listener.at("port", default=0)) for listener in listeners_of(self.stack, self.resource)})

    def bounds(self, door: Edge) -> bool:
        """Say whether its firewall refuses long bodies at a door. It does not look at what is in calls of gRPC."""
        acl = acl_of(self.stack, self.resource)
        return acl is not None and not self._speaks_grpc(door) and answer_of(acl, replace(sample_of(door), body=INSPECTED + 1)).blocked

    def _speaks_grpc(self, door: Edge) -> bool:
        wanted = Requests(host=door.host, path=pattern_of(door.entry))
        return any(
            group.at("protocolVersion", default="HTTP1") == "GRPC"
            for listener in listeners_of(self.stack, self.resource)
            for case in cases_of(self.stack, listener)
            if any(case.taken(wanted))
            for group in targets_of(self.stack, case)
        )

    def enter(self, walk: "Walk", flow: Flow, landing: Landing) -> None:
        """Follow requests through the listener of a port."""
        listeners = [each for each in listeners_of(self.stack, self.resource) if int(each.at("port", default=0)) == landing.port]
        if not listeners:
            walk.refuse(flow, str(self), f"no listener on port {landing.port}", self.resource)
        for listener in listeners:
            self._listener(walk, replace(flow, roles=(*flow.roles, self.role)), listener)

    def _listener(self, walk: "Walk", flow: Flow, listener: Resource) -> None:
        rest = [flow]
        for case in cases_of(self.stack, listener):
            left: list[Flow] = []
            for each in rest:
                for requests in case.taken(each.requests):
                    taken = each.with_requests(requests).hop(str(self), str(case.resource), case.resource)
                    walk.reading(taken, case.resource, lambda taken=taken, case=case: self._case(walk, taken, case))
                if (others := case.left(each.requests)) is not None:
                    left.append(replace(each, requests=others))
            rest = left

    def _case(self, walk: "Walk", flow: Flow, case: Case) -> None:
        for action in case.actions:
            if action["type"] not in FOLLOWED:
                raise UnknownValueError(f"{case.resource}: {action['type']}", "an action that is not followed")
        if case.answer:
            walk.refuse(flow, str(self), f"{case.resource} answers itself ({case.answer})", case.resource)
            return
        for inspected in self._inspected(walk, flow):
            for group in targets_of(self.stack, case):
                walk.reading(inspected, group, lambda group=group, inspected=inspected: self._target(walk, inspected, group))

    def _inspected(self, walk: "Walk", flow: Flow) -> list[Flow]:
        """Return what comes out behind the firewall, which is asked with a request of each door: the flow; where one is refused, the others'."""
        acl = acl_of(self.stack, self.resource)
        if acl is None:
            return [flow]
        refused, passed = False, list[Requests]()
        for door in doors_of(self.stack):
            answer = answer_of(acl, sample_of(door))
            for requests in _of_door(flow.requests, door):
                if not answer.blocked:
                    passed.append(requests)
                    continue
                refused = True
                by = f"its rule {answer.rule}" if answer.rule else "its default"
                walk.refuse(flow.with_requests(requests), str(acl), f"{by} refuses them", acl)
        through = passed if refused else [flow.requests]
        return [flow.with_requests(requests).hop(str(acl), "its rules let them pass", acl) for requests in through]

    def _target(self, walk: "Walk", flow: Flow, group: Resource) -> None:
        # It does not verify its targets' certificates and shows none of its own: the network is the proof of this hop.
        peer = Peer(tls=True) if group.at("protocol", default="HTTP") in TLS else PLAIN
        targets = list(services_of(self.stack, group))
        if not targets:
            walk.refuse(flow, str(group), "nothing puts targets into it", group)
        for target in targets:
            call = Call(sender=self.place, service=target.service, port=target.port, peer=peer)
            to_service(walk, flow.hop(str(group), str(target.binding), target.binding), call)


def _of_door(requests: Requests, door: Edge) -> Iterator[Requests]:
    for to_host in requests.to([door.host]):
        for by_method in to_host.by([door.method]):
            yield from by_method.at([pattern_of(door.entry)])
