"""Verdicts on payments to write reports of."""

from collections.abc import Collection
from dataclasses import replace

from cli.judging import Judged
from policies.exemptions import Exemption
from policies.harness import Report, RuleResult
from policies.registry import rules
from policies.rule import Finding, Verdict
from tests.policies.building import stack_of
from tests.systems import topology_file


def judged_of(
    *findings: Finding, without: Collection[str] = (), only_optimistic: Collection[Finding] = (), unused: tuple[Exemption, ...] = ()
) -> Judged:
    """Return a verdict with some findings, in which some rules have nothing to judge and some exemptions excuse nothing."""
    kept = [RuleResult(rule=rule, verdict=Verdict.KEPT, findings=(), exempted=(), seconds=0) for rule in rules()]
    results = tuple(replace(result, applies=result.rule.id not in without) for result in kept)
    verdict = Verdict.UNDECIDED if findings else Verdict.KEPT
    report = Report(verdict=verdict, findings=findings, rules=results, exempted=(), unused=unused, resources=0, edges=0, seconds=0)
    stack = stack_of([], "payments")
    return Judged(
        subject="local", topology=topology_file("payments"), report=report, stack=stack, resources=0, only_optimistic=tuple(only_optimistic)
    )


def finding(rule: str, verdict: Verdict, message: str) -> Finding:
    """Return a finding on one Service."""
    return Finding(rule=rule, verdict=verdict, message=message, resource="Service a")
