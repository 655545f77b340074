"""The verdict as JUnit XML: one test case a rule."""

from collections import Counter
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cli.judging import Judged
from cli.report.findings import Outcome, outcomes

TAGS: Final[Mapping[Outcome, str]] = {Outcome.BROKEN: "failure", Outcome.UNDECIDED: "error", Outcome.NOT_APPLICABLE: "skipped"}
"""What stands in a rule's case; nothing where the rule is kept."""

COUNTS: Final[Mapping[Outcome, str]] = {Outcome.BROKEN: "failures", Outcome.UNDECIDED: "errors", Outcome.NOT_APPLICABLE: "skipped"}
"""Where a suite says how many there are."""


def render(judged: Judged) -> str:
    """Return the verdict as a JUnit test suite; an undecided rule is an error, a broken one a failure, one with nothing to judge is skipped."""
    came = outcomes(judged)
    suite = Element("testsuite", name=f"perimeter {judged.subject}", tests=str(len(came)), time=f"{judged.judging:.3f}")
    for result in judged.report.rules:
        case = SubElement(suite, "testcase", classname=f"perimeter.{judged.subject}", name=f"{result.rule.id} {result.rule.name}")
        outcome = came[result.rule.id]
        if outcome is Outcome.KEPT:
            continue
        found = [finding for finding in judged.findings if finding.rule == result.rule.id]
        message = next((finding.message for finding in found if finding.verdict == outcome), "nothing to judge")
        inside = SubElement(case, TAGS[outcome], message=message, type=result.rule.id)
        inside.text = "\n".join(f"{each.verdict}: {each.resource}: {each.message} {each.fix}".strip() for each in found)
    counted = Counter(came.values())
    for outcome, name in COUNTS.items():
        suite.set(name, str(counted[outcome]))
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
