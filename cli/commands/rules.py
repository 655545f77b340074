"""`perimeter rules`: what the judge holds a stack to."""

import inspect
import re
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from cli.console import console_for_people
from cli.errors import UsageError
from cli.files import admit_file, page_titled, write_file
from policies.documentation import index, page
from policies.registry import rules as all_rules
from topology.findings import did_you_mean

PAGE: Final = re.compile(r"[A-Z][0-9]{2}\.md")
"""What the page of a rule is called."""


def rules(
    rule: Annotated[str | None, typer.Argument(help="Show the page of one rule.", show_default=False)] = None,
    folder: Annotated[Path | None, typer.Option("--write", help="Write the page of every rule into a folder.", show_default=False)] = None,
) -> None:
    """List the rules, show the page of one, or write all pages."""
    if folder is not None:
        _write(folder)
        return
    console = console_for_people()
    if rule is not None:
        known = {each.id: each for each in all_rules()}
        if rule.upper() not in known:
            raise UsageError(f'"{rule}" is not a rule ({did_you_mean(rule.upper(), known)}).')
        from rich.markdown import Markdown  # noqa: PLC0415 # half of what this command imports, and the list has no use for it

        console.print(Markdown(page(known[rule.upper()])))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("Rule", "Severity", "Holds that"):
        table.add_column(column)
    for each in all_rules():
        table.add_row(each.id, each.severity, (inspect.getdoc(each) or each.name).splitlines()[0])
    console.print(table)


def _write(folder: Path) -> None:
    """Write the page of every rule, and remove those of rules that are no more; whatever else is in the folder stays as it is."""
    pages = {f"{each.id}.md": (each.id, page(each)) for each in all_rules()} | {"README.md": ("Rules", index(all_rules()))}
    for name, (title, _) in pages.items():
        admit_file(folder / name, page_titled(title))
    for name, (title, text) in pages.items():
        write_file(folder / name, text, page_titled(title))
    for stale in folder.glob("*.md"):
        if stale.name not in pages and PAGE.fullmatch(stale.name):
            stale.unlink()
