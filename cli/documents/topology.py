"""`docs/topology.md`: every key of a topology file, section by section, each with an example."""

import re
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from cli.documents.models import Part, Reference, explained, parts_below, parts_in, sentence, vocabulary
from topology.model import base
from topology.model.system import Topology
from topology.standins import typed

EXAMPLE: Final = "example.topology.yaml"
"""Beside the document: one system that has every section. The examples are its parts."""
PATTERNS: Final = "path-patterns"


def document(folder: Path) -> str:
    """Return the made part of the document; the example is in the folder."""
    whole = slices((folder / EXAMPLE).read_text(encoding="utf-8"))
    sections = {key: part for key, field in Topology.model_fields.items() for part in parts_in(typed(field))}
    words = vocabulary(base)
    reference = Reference({part: key for key, part in sections.items()}, words, PATTERNS)
    plain = "".join(whole[key] for key in Topology.model_fields if key not in sections and key in whole)
    lines = ["## Sections", "", *reference.keys(Topology), "", *_example(plain)]
    seen: set[Part] = {*sections.values()}
    for key, part in sections.items():
        if issubclass(part, BaseModel):
            lines += [f"## {key}", "", sentence(part), "", *reference.keys(part), "", *_example(whole[key])]
            for below in parts_below(part):
                if below not in seen:
                    seen.add(below)
                    lines += reference.section(below)
    return "\n".join([*lines, *explained(words)])


def slices(text: str) -> dict[str, str]:
    """Return the text of each section of a topology file, comments included, by its key."""
    found = re.finditer(r"^(?P<key>\w+):.*\n(?:[ #].*\n|\n)*", text, flags=re.MULTILINE)
    return {each["key"]: f"{each[0].rstrip()}\n" for each in found}


def _example(text: str) -> list[str]:
    return ["```yaml", *text.splitlines(), "```", ""]
