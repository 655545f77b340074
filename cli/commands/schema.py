"""`perimeter schema`: the form of topology files, which follows from the model."""

from pathlib import Path
from typing import Annotated

import typer

from cli.files import SCHEMA, write_file
from topology.schema import schema_text


def schema(
    file: Annotated[Path | None, typer.Option("--write", help="Write to a file instead of standard output.", show_default=False)] = None,
) -> None:
    """Print the JSON Schema of topology files, for editors to complete and check by."""
    if file is None:
        typer.echo(schema_text(), nl=False)
    else:
        write_file(file, schema_text(), SCHEMA)
