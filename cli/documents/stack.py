"""`docs/stack.md`: every key of a stack file."""

from collections.abc import Iterable

from cli.documents.markdown import table
from cli.documents.models import Reference, explained, parts_below, vocabulary
from components import part
from components.binding import NEIGHBOURS, PROJECT, Binding
from components.versions import CHARTS, IMAGES


def document() -> str:
    """Return the made part of the document."""
    words = vocabulary(part)
    reference = Reference({}, words)
    lines = ["## Keys", "", *reference.keys(Binding, f"{PROJECT}:"), ""]
    lines += ["### Which products go together", ""]
    together = ((f"`{edge}`", _any(around.gateways), _any(around.clusters)) for edge, around in NEIGHBOURS.items())
    lines += [*table(("edge", "gateway", "cluster"), together), ""]
    for each in parts_below(Binding):
        lines += reference.section(each)
    lines += ["## Charts and images", "", "What is pinned, by these keys, is in [versions.py](../components/versions.py).", ""]
    known = (("`charts`, `values`", _all(CHARTS)), ("`images`", _all(IMAGES)))
    return "\n".join([*lines, *table(("in", "keys"), known), "", *explained(words)])


def _any(choices: Iterable[str]) -> str:
    return " or ".join(f"`{choice}`" for choice in sorted(choices))


def _all(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
