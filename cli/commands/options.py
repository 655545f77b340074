"""Arguments and options that several commands take, each described once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a verdict is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


Stack = Annotated[str, typer.Argument(help="Stack name: stacks/Pulumi.<stack>.yaml.", show_default=False)]
TopologyFile = Annotated[
    Path | None,
    typer.Option("--topology", "-t", help="Topology file; default: the one that the stack, or the judged plan, names.", show_default=False),
]
Folder = Annotated[Path, typer.Option("--project", help="Project folder, or one inside it.", show_default=False)]
OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="How to write the verdict.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every door, call and rule.")]
PlanFile = Annotated[str, typer.Argument(help="plan.json, a `pulumi stack export`, or - for standard input.", show_default=False)]
HERE = Path()
