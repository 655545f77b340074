"""The word on a running system as JSON and as JUnit XML."""

import json
import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from conformance.report import Report
from conformance.runner import Result, counted
from conformance.verdict import Verdict

CONTROL_CHARACTERS = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
"""What XML 1.0 cannot say."""


def as_json(report: Report) -> str:
    """Return a report as JSON text: everything that is known of every probe."""
    document: dict[str, Any] = {
        "system": report.system,
        "subject": report.subject,
        "outcome": report.outcome,
        "counts": {str(verdict): count for verdict, count in counted(report.results).items()},
        "leftOut": [{"what": what, "why": why} for what, why in report.left_out],
        "seconds": round(report.seconds, 1),
        "probes": [_probe(result) for result in report.results],
    }
    return json.dumps(document, indent=2) + "\n"


def _probe(result: Result) -> dict[str, Any]:
    probe = result.probe
    return {
        "id": probe.id,
        "family": probe.family,
        "from": str(probe.vantage),
        "to": str(probe.target),
        "request": f"{probe.request.method} {probe.request.path}",
        "why": probe.why,
        "expected": type(probe.expect).__name__.lower(),
        "controls": list(probe.controls),
        "verdict": result.verdict,
        "seen": result.said,
        "seconds": round(result.seconds, 3),
    }


def as_junit(report: Report) -> str:
    """Return a report as JUnit XML: one suite for each kind of probe; what was not run is skipped, with the reason."""
    root = Element("testsuites", name=f"perimeter verify {report.system}", time=f"{report.seconds:.1f}")
    for family, results in report.by_family().items():
        counts = counted(results)
        suite = SubElement(
            root,
            "testsuite",
            name=family,
            tests=str(len(results)),
            failures=str(counts[Verdict.FAILED]),
            skipped=str(counts[Verdict.NOT_RUN]),
        )
        for result in results:
            _case(suite, report.system, result)
    for what, why in report.left_out:
        suite = SubElement(root, "testsuite", name=what, tests="1", failures="0", skipped="1")
        SubElement(SubElement(suite, "testcase", classname=f"perimeter.{report.system}", name=what), "skipped", message=_text(why))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Element, system: str, result: Result) -> None:
    probe = result.probe
    name, seconds = _text(probe.id), f"{result.seconds:.3f}"
    case = SubElement(suite, "testcase", classname=f"perimeter.{system}.{probe.family}", name=name, time=seconds)
    if result.verdict is Verdict.FAILED:
        failure = SubElement(case, "failure", message=_text(result.said), type=type(probe.expect).__name__)
        failure.text = _text(f"{probe.vantage} -> {probe.target}: {probe.request.method} {probe.request.path}\nbecause {probe.why}")
    if result.verdict is Verdict.NOT_RUN:
        SubElement(case, "skipped", message=_text(result.said))


def _text(text: str) -> str:
    return CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)
