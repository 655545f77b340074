"""The word on a running system, for people and for programs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.runner import Result, counted
from conformance.verdict import Verdict
from topology.derive.probes import Family


class Outcome(StrEnum):
    """What a run says. What was not run is never green."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The results of one run."""

    system: str
    subject: str
    results: tuple[Result, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    """What was not even tried, and why."""
    seconds: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """Return the word on all results."""
        counts = counted(self.results)
        if counts[Verdict.FAILED]:
            return Outcome.FAILURE
        return Outcome.PARTIAL if counts[Verdict.NOT_RUN] or self.left_out or not self.results else Outcome.SUCCESS

    def by_family(self) -> dict[Family, list[Result]]:
        """Return the results by what they are about, in the order of the families."""
        found: defaultdict[Family, list[Result]] = defaultdict(list)
        for result in self.results:
            found[result.probe.family].append(result)
        return {family: found[family] for family in Family if family in found}

    def of(self, verdict: Verdict) -> list[Result]:
        """Return the results of one verdict."""
        return [result for result in self.results if result.verdict is verdict]

    def reasons(self) -> Sequence[tuple[str, list[Result]]]:
        """Return why probes were not run, the most frequent reason first."""
        found: defaultdict[str, list[Result]] = defaultdict(list)
        for result in self.of(Verdict.NOT_RUN):
            found[result.said].append(result)
        return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
