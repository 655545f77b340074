"""P06: the program was made from the topology that was reviewed."""

from collections.abc import Iterator
from typing import ClassVar

from policies.intent import SYSTEM_TYPE
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from topology.digest import digest


class ReviewedTopology(Rule):
    """The plan's one top component carries the digest of the topology that the judge loaded itself.

    Forbids:
        A plan without a top component, with several, or with one whose digest is another than that of the reviewed topology file.

    Why:
        Every other rule holds the resources against a topology. If the program had been made from another one, a plan could keep
        every rule of a topology that nobody deploys. The program cannot vouch for itself: it sends a digest, and the judge
        computes it again from the file that people reviewed.

    Instead:
        Plan and judge with the same file (`perimeter:topology` in the stack file), and review changes of it.
    """

    id: ClassVar[str] = "P06"
    name: ClassVar[str] = "made-from-the-reviewed-topology"
    severity: ClassVar[Severity] = Severity.CRITICAL
    frameworks: ClassVar[tuple[str, ...]] = ("SLSA source",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Compare digests."""
        systems = list(stack.of(SYSTEM_TYPE))
        if len(systems) != 1:
            names = ", ".join(resource.name for resource in systems) or "none"
            message = f"the plan has {len(systems)} resources of type {SYSTEM_TYPE} ({names}), not one"
            yield self.broken(systems[0] if systems else None, message, "build one system for each stack")
            return
        yield from self.over(systems, lambda system: self._compare(system, stack))

    def _compare(self, system: Resource, stack: Stack) -> Iterator[Finding]:
        said = system.at("digest")
        if said is None:
            yield self.undecided(system, "it sends no digest of its topology", "give the component the input `digest`")
            return
        reviewed = digest(stack.intent)
        if said != reviewed:
            path = f" ({stack.topology_path})" if stack.topology_path else ""
            message = (
                f"it was made from another topology: its digest is {str(said)[:12]}…, that of the reviewed file{path} is {reviewed[:12]}…"
            )
            yield self.broken(system, message, "plan again from the reviewed file, or have the other one reviewed")
