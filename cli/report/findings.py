"""What a report says of each rule, and what several rules say in the same words, once."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from cli.judging import Judged
from cli.report.origins import Origin, origins
from policies.harness import SEVERITIES
from policies.rule import Finding, Severity, Verdict


class Outcome(StrEnum):
    """What came of one rule: a verdict, or that the stack has nothing that the rule is about, which is no verdict and blocks nothing."""

    KEPT = "kept"
    BROKEN = "broken"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not applicable"
    """As other reports of compliance call it: `notApplicable` in SARIF and XCCDF, `not-applicable` in OSCAL."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A finding, and all rules that find it in these words: one resource that cannot be read leaves several open."""

    finding: Finding
    """As the first of the rules says it."""
    rules: tuple[str, ...]
    severity: Severity
    """Of the severest of the rules."""
    origin: Origin | None = None
    """The entry of the topology file that the resource was made for."""


def outcomes(judged: Judged) -> Mapping[str, Outcome]:
    """Return what came of each rule, by its id."""
    found: defaultdict[str, set[Verdict]] = defaultdict(set)
    for finding in judged.findings:
        found[finding.rule].add(finding.verdict)
    return {result.rule.id: _outcome(found[result.rule.id] | {result.verdict}, applies=result.applies) for result in judged.report.rules}


def _outcome(verdicts: set[Verdict], *, applies: bool) -> Outcome:
    worst = next(verdict for verdict in (Verdict.BROKEN, Verdict.UNDECIDED, Verdict.KEPT) if verdict in verdicts)
    return Outcome(worst) if applies or worst is not Verdict.KEPT else Outcome.NOT_APPLICABLE


def said(judged: Judged) -> list[Said]:
    """Return every finding once, with all the rules that say it: the severest first, then by rule, resource and message."""
    severities = {result.rule.id: result.rule.severity for result in judged.report.rules}
    ordered = sorted(
        judged.findings,
        key=lambda each: (SEVERITIES.index(severities[each.rule]), each.rule, each.resource, each.urn, each.message),
    )
    alike: defaultdict[Finding, list[Finding]] = defaultdict(list)
    for finding in ordered:
        alike[replace(finding, rule="")].append(finding)
    origin = origins(judged)
    return [
        Said(
            finding=each[0],
            rules=tuple(dict.fromkeys(one.rule for one in each)),
            severity=severities[each[0].rule],
            origin=origin(each[0].urn),
        )
        for each in alike.values()
    ]
