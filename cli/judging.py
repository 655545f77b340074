"""Verdicts on plans: one, or one for each way of taking what is unknown."""

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cli.planning import plan_all
from cli.project import Project
from planner.plan import Plan
from planner.program import Mode
from policies import exemptions
from policies.harness import Report, judge
from policies.intent import load_intent
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Finding, Verdict


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict, what it was reached on, and how long it took. Times in seconds."""

    subject: str
    topology: Path
    report: Report
    stack: Stack
    resources: int
    planning: float = 0.0
    judging: float = 0.0
    only_optimistic: tuple[Finding, ...] = ()
    """What is broken or undecided only where stand-ins take the place of unknown values: the verdict depends on them."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict; one that depends on unknown values is undecided."""
        if self.report.verdict is Verdict.KEPT and self.only_optimistic:
            return Verdict.UNDECIDED
        return self.report.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return every finding of either plan."""
        return (*self.report.findings, *self.only_optimistic)


def read_stack(plan: Plan, topology: Path) -> Stack:
    """Return a plan as the judge sees it."""
    return Stack(normalise(plan.resources), load_intent(topology), topology_path=str(topology))


def judge_plan(project: Project, plan: Plan, topology: Path, *, subject: str) -> Judged:
    """Judge one plan."""
    started = time.monotonic()
    stack = read_stack(plan, topology)
    report = judge(stack, rules(), exemptions.load(project.policies / "exemptions.yaml"), today=date.today())
    return Judged(
        subject=subject,
        topology=topology,
        report=report,
        stack=stack,
        resources=len(plan.resources),
        judging=time.monotonic() - started,
    )


def check_stack(project: Project, name: str, topology: Path) -> Judged:
    """Plan a stack in both modes and judge both plans. The pessimistic one leads; a verdict that differs is undecided."""
    started = time.monotonic()
    plans = plan_all(project, name, topology, (Mode.PESSIMISTIC, Mode.OPTIMISTIC))
    planning = time.monotonic() - started
    pessimistic = judge_plan(project, plans[Mode.PESSIMISTIC], topology, subject=name)
    optimistic = judge_plan(project, plans[Mode.OPTIMISTIC], topology, subject=name)
    seen = {(finding.rule, finding.urn, finding.message) for finding in pessimistic.report.findings}
    only = tuple(finding for finding in optimistic.report.findings if (finding.rule, finding.urn, finding.message) not in seen)
    return Judged(
        subject=name,
        topology=topology,
        report=pessimistic.report,
        stack=pessimistic.stack,
        resources=pessimistic.resources,
        planning=planning,
        judging=pessimistic.judging + optimistic.judging,
        only_optimistic=only,
    )
