"""The verdict as JSON: everything the text says, for programs."""

import json
from dataclasses import asdict
from typing import Any

from cli.judging import Judged
from cli.report.entrances import entrances
from cli.report.environment import environment
from cli.report.findings import outcomes, said
from topology.laws import notes


def document(judged: Judged) -> dict[str, Any]:
    """Return the verdict as plain data. A finding names the severest of the rules that say it as `rule`, and all of them as `rules`."""
    verdicts = outcomes(judged)
    return {
        "subject": judged.subject,
        "topology": str(judged.topology),
        "system": judged.stack.intent.system,
        "verdict": judged.verdict,
        "resources": judged.resources,
        "edges": [asdict(edge) for edge in sorted(judged.stack.expected)],
        "entrances": entrances(judged),
        "environment": asdict(environment(judged)),
        "rules": [
            {"id": r.rule.id, "name": r.rule.name, "severity": r.rule.severity, "verdict": verdicts[r.rule.id]} for r in judged.report.rules
        ],
        "findings": [
            {**asdict(each.finding), "rules": each.rules, "origin": asdict(each.origin) if each.origin else None} for each in said(judged)
        ],
        "notes": [str(note) for note in notes(judged.stack.intent)],
        "exempted": [
            {**asdict(item.finding), "reason": item.exemption.reason, "owner": item.exemption.owner, "expires": str(item.exemption.expires)}
            for item in judged.report.exempted
        ],
        "seconds": {"planning": round(judged.planning, 3), "judging": round(judged.judging, 3)},
    }


def render(judged: Judged) -> str:
    """Return the verdict as JSON text."""
    return json.dumps(document(judged), indent=2) + "\n"
