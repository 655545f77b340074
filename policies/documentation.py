"""The documentation pages of the rules, made from the rules themselves."""

import inspect
from collections.abc import Iterable
from typing import Final

from policies.rule import Rule

SECTIONS: Final = ("Forbids:", "Why:", "Instead:")
"""The sections of a rule's docstring, in order."""

LAYERS: Final = {
    "B": "The proof",
    "W": "Edge",
    "A": "API gateway",
    "N": "Network",
    "K": "Kubernetes",
    "M": "Mesh",
    "P": "The plan itself",
}
"""Layers by the first letter of a rule's id, in the order of the request path."""


def sections(rule: Rule) -> dict[str, str]:
    """Return the text of each section of a rule's docstring by its heading, and the summary under the empty heading.

    Raises:
        ValueError: if a section is missing, empty, written twice or out of order.
    """
    lines = (inspect.getdoc(type(rule)) or "").splitlines()
    parts: dict[str, list[str]] = {"": []}
    here = ""
    for line in lines:
        heading = next((section for section in SECTIONS if line.startswith(section)), None)
        if heading:
            if heading in parts or len(parts) != SECTIONS.index(heading) + 1:
                raise ValueError(
                    f"{rule.id}: the sections of the docstring are {', '.join(SECTIONS)}, once and in this order; {heading} is out of place"
                )
            here = heading
            parts[here] = [line.removeprefix(heading).strip()]
        else:
            parts[here].append(line)
    if missing := [section for section in SECTIONS if section not in parts]:
        raise ValueError(f"{rule.id}: the docstring has no section {', '.join(missing)}")
    result = {heading: inspect.cleandoc("\n" + "\n".join(text)).strip() for heading, text in parts.items()}
    if empty := [heading or "summary" for heading, text in result.items() if not text]:
        raise ValueError(f"{rule.id}: nothing is written under {', '.join(empty)}")
    return result


def page(rule: Rule) -> str:
    """Return the page of one rule as Markdown."""
    parts = sections(rule)
    facts = [f"Severity: {rule.severity.value}"]
    if rule.frameworks:
        facts.append(f"See also: {', '.join(rule.frameworks)}")
    body = "\n\n".join(f"## {heading.rstrip(':')}\n\n{_markdown(parts[heading])}" for heading in SECTIONS)
    return f"# {rule.id} {rule.name}\n\n{parts['']}\n\n{' · '.join(facts)}\n\n{body}\n"


def index(rules: Iterable[Rule]) -> str:
    """Return the list of all rules, layer by layer, as Markdown."""
    ordered = sorted(rules, key=lambda rule: rule.id)
    text = [
        "# Rules",
        "",
        "Made from the rules by `perimeter rules --write docs/rules`. A rule is broken, kept, or undecided; undecided blocks.",
        "A finding that is right, and that you accept for a while, goes into [a file of exemptions](../exemptions.md).",
        "",
    ]
    for letter, title in LAYERS.items():
        of_layer = [rule for rule in ordered if rule.id.startswith(letter)]
        if of_layer:
            text += [f"## {title}", "", "| rule | severity | what it keeps |", "| --- | --- | --- |"]
            text += [f"| [{rule.id} {rule.name}]({rule.id}.md) | {rule.severity.value} | {_summary(rule)} |" for rule in of_layer]
            text.append("")
    return "\n".join(text)


def _summary(rule: Rule) -> str:
    return sections(rule)[""].splitlines()[0]


def _markdown(text: str) -> str:
    """Turn blocks that are introduced by `::` into fenced examples, in YAML or in the languages of nginx and ModSecurity."""
    result: list[str] = []
    block: list[str] | None = None
    for line in text.splitlines():
        if block is not None and line and not line.startswith("    "):
            result += _fenced(block)
            block = None
        if block is not None:
            block.append(line)
        elif line.rstrip().endswith("::"):
            result.append(line.rstrip()[:-1])
            block = []
        else:
            result.append(line)
    if block is not None:
        result += _fenced(block)
    return "\n".join(result).strip()


def _fenced(block: list[str]) -> list[str]:
    text = inspect.cleandoc("\n" + "\n".join(block)).strip()
    is_nginx = any(line.rstrip().endswith((";", "; }", "{")) or line.startswith("Sec") for line in text.splitlines())
    return ["", f"```{'nginx' if is_nginx else 'yaml'}", *text.splitlines(), "```", ""]
