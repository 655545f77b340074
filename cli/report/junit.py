"""The verdict as JUnit XML: one test case a rule."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cli.judging import Judged
from policies.rule import Verdict


def render(judged: Judged) -> str:
    """Return the verdict as a JUnit test suite; an undecided rule is an error, a broken one a failure."""
    results = judged.report.rules
    by_rule = {result.rule.id: [finding for finding in judged.findings if finding.rule == result.rule.id] for result in results}
    suite = Element("testsuite", name=f"perimeter {judged.subject}", tests=str(len(results)), time=f"{judged.judging:.3f}")
    counts = {Verdict.BROKEN: 0, Verdict.UNDECIDED: 0}
    for result in results:
        case = SubElement(suite, "testcase", classname=f"perimeter.{judged.subject}", name=f"{result.rule.id} {result.rule.name}")
        for verdict, tag in ((Verdict.BROKEN, "failure"), (Verdict.UNDECIDED, "error")):
            if found := [finding for finding in by_rule[result.rule.id] if finding.verdict is verdict]:
                counts[verdict] += 1
                problem = SubElement(case, tag, message=found[0].message, type=result.rule.id)
                problem.text = "\n".join(f"{finding.resource}: {finding.message} {finding.fix}".strip() for finding in found)
    suite.set("failures", str(counts[Verdict.BROKEN]))
    suite.set("errors", str(counts[Verdict.UNDECIDED]))
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
