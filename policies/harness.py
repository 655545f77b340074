"""Judge a stack by rules: three verdicts, never fail open."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from policies.exemptions import Exemption, matching
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule, Severity, Verdict

SEVERITIES: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""From worst to least: the order of a report."""


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What one rule said."""

    rule: Rule
    verdict: Verdict
    findings: tuple[Finding, ...]
    """What blocks."""
    exempted: tuple[Finding, ...]
    seconds: float
    applies: bool = True
    """Whether the stack has anything that the rule is about. Only a rule that is kept may be without."""


@dataclass(frozen=True, kw_only=True)
class Exempted:
    """A finding that does not block, and why."""

    finding: Finding
    exemption: Exemption


@dataclass(frozen=True, kw_only=True)
class Report:
    """The judgement of one stack."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    """Everything that blocks: worst severity first, then by rule, resource and message."""
    rules: tuple[RuleResult, ...]
    exempted: tuple[Exempted, ...]
    unused: tuple[Exemption, ...]
    """Exemptions that excused nothing: the reason for them is gone."""
    resources: int
    edges: int
    """How many calls the topology allows."""
    seconds: float


def judge(stack: Stack, rules: Iterable[Rule], exemptions: Iterable[Exemption] = (), today: date | None = None) -> Report:
    """Return what all rules say of a stack; `today` decides which exemptions have expired, and is today where it is not given."""
    start = time.perf_counter()
    rules, exemptions, today = tuple(rules), tuple(exemptions), today or date.today()
    excused: list[Exempted] = []
    results = [_result(rule, stack, exemptions, today, excused) for rule in rules]
    ranks = {result.rule.id: (SEVERITIES.index(result.rule.severity), result.rule.id) for result in results}
    findings = sorted(
        (finding for result in results for finding in result.findings),
        key=lambda finding: (ranks[finding.rule], finding.resource, finding.urn, finding.message),
    )
    used = {id(item.exemption) for item in excused}
    return Report(
        verdict=_worst(finding.verdict for finding in findings),
        findings=tuple(findings),
        rules=tuple(sorted(results, key=lambda result: result.rule.id)),
        exempted=tuple(excused),
        unused=tuple(exemption for exemption in exemptions if id(exemption) not in used and not exemption.expired(today)),
        resources=len(stack.resources),
        edges=len(stack.expected),
        seconds=time.perf_counter() - start,
    )


def merged(first: Report, second: Report) -> Report:
    """Return one report of two judgements by the same rules: what either of them found blocks."""
    pairs = zip(first.rules, second.rules, strict=True)
    rules = tuple(
        replace(
            one,
            verdict=_worst({one.verdict, other.verdict} - {Verdict.KEPT}),
            findings=_union(one, other),
            applies=one.applies or other.applies,
        )
        for one, other in pairs
    )
    return replace(
        first,
        verdict=_worst({first.verdict, second.verdict} - {Verdict.KEPT}),
        findings=tuple(dict.fromkeys((*first.findings, *second.findings))),
        rules=rules,
        exempted=tuple(dict.fromkeys((*first.exempted, *second.exempted))),
        unused=tuple(each for each in first.unused if each in second.unused),
        seconds=first.seconds + second.seconds,
    )


def _union(one: RuleResult, other: RuleResult) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys((*one.findings, *other.findings)))


def findings_of(rule: Rule, stack: Stack) -> list[Finding]:
    """Return what one rule says; a rule that cannot finish leaves the stack undecided, whatever stopped it."""
    found: dict[Finding, None] = {}
    try:
        for finding in rule.judge(stack):
            found[finding] = None
    except UnknownValueError as error:
        found[rule.undecided(None, f"the rule needs a value that is not known: {error}")] = None
    except Exception as error:
        reason = f"the rule stopped with {type(error).__name__}: {error}"
        found[rule.undecided(None, reason, "this is a mistake in the rule or an object of unexpected shape: report it, with the plan")] = (
            None
        )
    return list(found)


def _result(rule: Rule, stack: Stack, exemptions: tuple[Exemption, ...], today: date, excused: list[Exempted]) -> RuleResult:
    start = time.perf_counter()
    blocking: list[Finding] = []
    exempted: list[Finding] = []
    for finding in findings_of(rule, stack):
        exemption = matching(finding, exemptions)
        if exemption is None:
            blocking.append(finding)
        elif exemption.expired(today):
            blocking.append(
                replace(finding, message=f"{finding.message} (the exemption of {exemption.owner} expired on {exemption.expires})")
            )
        else:
            exempted.append(finding)
            excused.append(Exempted(finding=finding, exemption=exemption))
    return RuleResult(
        rule=rule,
        verdict=_worst(finding.verdict for finding in blocking),
        findings=tuple(blocking),
        exempted=tuple(exempted),
        seconds=time.perf_counter() - start,
        applies=bool(blocking or exempted) or rule.applies(stack),
    )


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    seen = set(verdicts)
    if Verdict.BROKEN in seen:
        return Verdict.BROKEN
    return Verdict.UNDECIDED if seen else Verdict.KEPT
