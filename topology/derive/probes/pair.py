"""A caller and a callee, and probes whose requests are an allowed one with changes."""

from dataclasses import dataclass, replace
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A caller and a callee, and one request that is allowed between them."""

    t: Topology
    caller: ServiceName
    callee: ServiceName
    operation: Operation

    def probe(self, family: Family, what: str, expect: Expectation, why: str, stage: Stage = Stage.PLAIN, **changes: Any) -> Probe:
        """Return a probe whose request is the allowed one with changes; headers are added."""
        asked = examples.request(Protocol.HTTP, self.operation.method, examples.path_of(self.operation.pattern))
        changes["headers"] = (*asked.headers, *changes.pop("headers", ()))
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
    def request(self) -> str:
        """Return the allowed request in words: method and URL."""
        target = target_of(self.t, self.caller, self.callee)
        return f"{self.operation.method} http://{target.name}:{target.port}{examples.path_of(self.operation.pattern)}"
