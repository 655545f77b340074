"""Differences as JSON, for programs."""

import json
from typing import Any

from cli.comparing import Comparison
from topology.changes import Change


def render(compared: Comparison) -> str:
    """Return a comparison as JSON text: every difference, the widest first, with all the terms on which something crosses."""
    document = {
        "system": compared.system,
        "old": compared.old,
        "new": compared.new,
        "wider": bool(compared.wider),
        "changes": [_change(each) for each in compared.changes],
    }
    return json.dumps(document, indent=2) + "\n"


def _change(change: Change) -> dict[str, Any]:
    crossing = change.crossing
    return {
        "kind": change.kind,
        "width": change.width,
        "direction": crossing.direction,
        "source": crossing.source,
        "target": crossing.target,
        "methods": crossing.methods,
        "paths": crossing.paths,
        "door": crossing.door,
        "version": crossing.version,
        "terms": {term.name: term.text for term in crossing.terms},
        "changed": [{"term": term.name, "old": term.old, "new": term.new, "width": term.width} for term in change.terms],
    }
