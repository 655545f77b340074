"""The verdict as SARIF 2.1.0, for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

import json
from importlib.metadata import version
from typing import Any

from cli.judging import Judged
from cli.report.artifacts import location
from cli.report.findings import Said, outcomes, said
from policies.documentation import page
from policies.rule import Severity, Verdict

LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}

SECURITY_SEVERITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
"""The middle of each band of CVSS, by which code scanning sorts."""


def render(judged: Judged) -> str:
    """Return the verdict as a SARIF log with one run."""
    rules = [result.rule for result in judged.report.rules]
    driver = {
        "name": "perimeter",
        "version": version("perimeter"),
        "rules": [
            {
                "id": rule.id,
                "name": rule.name,
                "shortDescription": {"text": rule.name.replace("-", " ")},
                "help": {"text": page(rule), "markdown": page(rule)},
                "properties": {"tags": ["security", *rule.frameworks], "security-severity": SECURITY_SEVERITY[rule.severity]},
            }
            for rule in rules
        ],
    }
    results = [_result(judged, each) for each in said(judged)]
    # Rules that are kept or not applicable have no result: code scanning does not read `kind` and would take each for an alert.
    run = {"tool": {"driver": driver}, "results": results, "properties": {"verdict": judged.verdict, "rules": outcomes(judged)}}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _result(judged: Judged, each: Said) -> dict[str, Any]:
    finding = each.finding
    hops = "".join(f"\n{number}. {hop.place}: {hop.allowed_by}" for number, hop in enumerate(finding.path, 1))
    also = f" (also {', '.join(each.rules[1:])})" if len(each.rules) > 1 else ""
    head = f"{finding.verdict.capitalize()}{also}: " if also or finding.verdict is Verdict.UNDECIDED else ""
    return {
        "ruleId": finding.rule,
        "level": LEVEL[each.severity],
        "message": {"text": f"{head}{finding.message}{hops}{f'. {finding.fix}' if finding.fix else ''}"},
        "locations": [
            {
                "physicalLocation": location(judged.topology, each.origin.line if each.origin else 0),
                "logicalLocations": [{"name": finding.resource or judged.subject, "fullyQualifiedName": finding.urn or judged.subject}],
            }
        ],
        "partialFingerprints": {"finding/v1": f"{finding.rule}|{finding.urn}|{finding.message}"},
        "properties": {"rules": each.rules},
    }
