"""The policy reference as data, and a policy held against it."""

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import yaml

FILE = Path(__file__).with_name("policy_reference.yaml")
SECTIONS = ("inbound", "backend", "outbound", "on-error")


@cache
def reference() -> dict[str, dict[str, Any]]:
    """Return what is known of each element."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def faults(text: str) -> list[str]:
    """Return everything that a policy says and the reference does not."""
    root = fromstring(text)  # noqa: S314 # written by the code under test
    top = [] if root.tag == "policies" and [child.tag for child in root] == list(SECTIONS) else ["the sections are others"]
    crowded = [
        f"{section.tag}: {len(section)} policies" for section in root if len(section) > reference()[section.tag].get("most", math.inf)
    ]
    return [*top, *crowded, *(fault for section in root for child in section for fault in _of(child, section.tag))]


def _of(element: Element, section: str) -> Iterator[str]:
    known = reference().get(element.tag)
    if known is None:
        yield f"{element.tag}: unknown element"
        return
    if "sections" in known and section not in known["sections"]:
        yield f"{element.tag}: not in {section}"
    required, allowed = set(known.get("required", ())), {*known.get("required", ()), *known.get("attributes", ())}
    yield from (f"{element.tag}: no {name}" for name in required - set(element.attrib))
    yield from (f"{element.tag}: unknown attribute {name}" for name in set(element.attrib) - allowed)
    for name, values in known.get("values", {}).items():
        if element.get(name, values[0]) not in values:
            yield f"{element.tag}: {name} is {element.get(name)}"
    for name, values in known.get("refused", {}).items():
        if element.get(name, "").lower() in values:
            yield f"{element.tag}: {name} is {element.get(name)}"
    if element.get("exists-action") == "delete" and (name := element.get("name", "")).lower() in known.get("undeletable", ()):
        yield f"{element.tag}: deletes {name}"
    for name, (least, most) in known.get("range", {}).items():
        if not least <= int(element.get(name, least)) <= most:
            yield f"{element.tag}: {name} is {element.get(name)}"
    if (element.text or "").strip() and not known.get("text"):
        yield f"{element.tag}: has text"
    children = known.get("children", ())
    for child in element:
        named = "page" in reference().get(child.tag, {}) if children == "any-policy" else child.tag in children
        yield from [] if named else [f"{element.tag}: {child.tag} inside"]
        yield from _of(child, section)
