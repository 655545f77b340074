"""`perimeter schema` and `perimeter diagram`: documents that follow from the model."""

from pathlib import Path
from typing import Annotated

import typer

from cli.files import write_file
from topology.diagram import mermaid
from topology.load import load
from topology.schema import schema_text


def schema(
    file: Annotated[Path | None, typer.Option("--write", help="Write to a file instead of standard output.", show_default=False)] = None,
) -> None:
    """Print the JSON Schema of topology files, for editors to complete and check by."""
    if file is None:
        typer.echo(schema_text(), nl=False)
    else:
        write_file(file, schema_text())


def diagram(topology: Annotated[Path, typer.Argument(help="Topology file.", show_default=False)]) -> None:
    """Print a Mermaid flowchart of a topology: doors, services, calls, bridges, egress."""
    typer.echo(mermaid(load(topology)), nl=False)
