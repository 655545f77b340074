"""Verdicts on plans: one, or one for each way of taking what is unknown."""

import gc
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cli.planning import plan_all
from cli.project import Project
from planner.plan import Plan
from planner.program import Mode
from policies import exemptions
from policies.harness import Report, judge, merged
from policies.intent import load_intent
from policies.reading.normalise import normalise
from policies.reading.running import exported, running
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Finding, Verdict
from topology.model.system import Topology


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


def read_stack(project: Project, plan: Plan, topology: Path) -> Stack:
    """Return a plan as the judge sees it: what the program said, held against what the project's files say."""
    config = project.config_of(plan.stack)
    return Stack(normalise(_records(plan)), load_intent(topology), topology_path=str(topology), config=config)


def _records(plan: Plan) -> tuple[Mapping[str, Any], ...]:
    return tuple(exported(plan.resources)) if plan.mode is Mode.EXPORTED else plan.resources


def judge_plan(project: Project, plan: Plan, topology: Path, *, subject: str, intent: Topology | None = None) -> Judged:
    """Judge one plan. Of an export both what the program said and what the API server answered must keep the boundary.

    Args:
        project: where the exemptions and the stack's file are.
        plan: the plan.
        topology: the topology file.
        subject: what the plan is of, for people.
        intent: what is in that file, where it was read before.
    """
    started = time.monotonic()
    records, excused = _records(plan), exemptions.load(project.policies / "exemptions.yaml")
    with _kept():
        config = project.config_of(plan.stack)
        stack = Stack(normalise(records), intent or load_intent(topology), topology_path=str(topology), config=config)
        report = judge(stack, rules(), excused, today=date.today())
        if plan.mode is Mode.EXPORTED:
            runs = Stack(normalise(running(records)), stack.intent, topology_path=stack.topology_path, config=config)
            report = merged(report, judge(runs, rules(), excused, today=date.today()))
    return Judged(
        subject=subject,
        topology=topology,
        report=report,
        stack=stack,
        resources=len(plan.resources),
        judging=time.monotonic() - started,
    )


@contextmanager
def _kept() -> Generator[None]:
    """Let the garbage collector leave alone what is there already: the plans are long, and none of it goes away meanwhile."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def check_stack(project: Project, name: str, topology: Path, config: Mapping[str, str] = {}) -> Judged:
    """Plan a stack in both modes and judge both plans. The pessimistic one leads; a verdict that differs is undecided.

    Args:
        project: where it is.
        name: the stack's name.
        topology: its topology file.
        config: configuration laid over the stack's.
    """
    intent = load_intent(topology)  # first, because what is wrong with it is told by line
    started = time.monotonic()
    plans = plan_all(project, name, topology, (Mode.PESSIMISTIC, Mode.OPTIMISTIC), config)
    planning = time.monotonic() - started
    pessimistic = judge_plan(project, plans[Mode.PESSIMISTIC], topology, subject=name, intent=intent)
    optimistic = judge_plan(project, plans[Mode.OPTIMISTIC], topology, subject=name, intent=intent)
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
