"""A caller and a callee, and probes whose requests are an allowed one with changes."""

from dataclasses import dataclass, replace
from typing import Any, Final

from topology.derive.probes import examples
from topology.derive.probes.calls import allowed_id, target_of
from topology.derive.probes.examples import Operation
from topology.derive.probes.expectation import Expectation
from topology.derive.probes.faults import may_fail
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.vantage import inside
from topology.edges import Direction
from topology.model.base import ServiceName
from topology.model.service import Protocol
from topology.model.system import Topology

ANSWERED: Final = frozenset({Protocol.HTTP, Protocol.GRPC})
"""What is spoken on calls of which each has one answer to be told by. A WebSocket and a TCP connection have none."""
TELL: Final = ("x-echo-tell", "metadata")
"""Request header by which a backend that speaks gRPC says what it received in metadata of its answer: the message is its caller's."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A caller and a callee, and one request that is allowed between them."""

    t: Topology
    caller: ServiceName
    callee: ServiceName
    operation: Operation

    def probe(self, family: Family, what: str, expect: Expectation, why: str, stage: Stage = Stage.PLAIN, **changes: Any) -> Probe:
        """Return a probe whose request is the allowed one with changes; headers are added."""
        asked = examples.request(self.protocol, self.operation.method, examples.path_of(self.operation.pattern))
        headers = changes.pop("headers", ())
        if self.protocol is Protocol.GRPC:
            # No message: an answer before the end of a request comes with a reset, for which curl 7.88 sometimes gives the answer up.
            changes["body"] = ""
            headers = (TELL, *headers)
        changes["headers"] = (*asked.headers, *headers)
        return Probe(
            id=f"{family}/{self.caller}->{self.callee}/{what}",
            family=family,
            vantage=inside(self.t, self.caller),
            target=target_of(self.t, self.caller, self.callee),
            request=replace(asked, **changes),
            expect=expect,
            why=why,
            controls=(allowed_id(Direction.EAST_WEST, self.caller, self.callee, self.operation),),
            stage=stage,
            may_fail=may_fail(self.t, self.caller, self.callee),
        )

    @property
    def protocol(self) -> Protocol:
        """Return what the callee speaks."""
        return examples.protocol_of(self.t, self.callee)

    @property
    def request(self) -> str:
        """Return the allowed request in words: method and URL."""
        target, scheme = target_of(self.t, self.caller, self.callee), "grpc" if self.protocol is Protocol.GRPC else "http"
        return f"{self.operation.method} {scheme}://{target.name}:{target.port}{examples.path_of(self.operation.pattern)}"
