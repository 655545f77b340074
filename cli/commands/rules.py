"""`perimeter rules`: what the judge holds a stack to."""

import inspect
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table

from cli.errors import UsageError
from cli.files import write_file
from cli.report.text import console_for_people
from policies.documentation import index, page
from policies.registry import rules as all_rules
from topology.findings import did_you_mean


def rules(
    rule: Annotated[str | None, typer.Argument(help="Show the page of one rule.", show_default=False)] = None,
    folder: Annotated[Path | None, typer.Option("--write", help="Write the page of every rule into a folder.", show_default=False)] = None,
) -> None:
    """List the rules, show the page of one, or write all pages."""
    if folder is not None:
        pages = {f"{each.id}.md": page(each) for each in all_rules()} | {"README.md": index(all_rules())}
        for name, text in pages.items():
            write_file(folder / name, text)
        for stale in set(folder.glob("*.md")) - {folder / name for name in pages}:
            stale.unlink()
        return
    console = console_for_people()
    if rule is not None:
        known = {each.id: each for each in all_rules()}
        if rule.upper() not in known:
            raise UsageError(f'"{rule}" is not a rule ({did_you_mean(rule.upper(), known)}).')
        console.print(Markdown(page(known[rule.upper()])))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("Rule", "Severity", "Holds that"):
        table.add_column(column)
    for each in all_rules():
        table.add_row(each.id, each.severity, (inspect.getdoc(each) or each.name).splitlines()[0])
    console.print(table)
