"""`perimeter`: one command over all rooms. It imports none of them: a command imports what it needs (`cli.commands.table`)."""

import os
import platform
import signal
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from cli.commands.table import COMMANDS, Commands, listed
from cli.errors import ExitCode

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, entry in COMMANDS.items():
    app.command(name, help=entry.summary)(listed)


def _versions(asked: bool) -> None:
    if asked:
        typer.echo(f"perimeter {version('perimeter')}, Python {platform.python_version()}, Pulumi SDK {version('pulumi')}")
        raise typer.Exit


@app.callback()
def perimeter(
    versions: Annotated[
        bool,
        typer.Option("--version", help="Show the versions of perimeter, Python and the Pulumi SDK.", callback=_versions, is_eager=True),
    ] = False,
) -> None:
    """Prove that a planned stack keeps the boundary its topology file draws."""


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def main() -> None:
    """Run the command line; bad input ends with its findings on standard error, in the format that was asked for, and exit code 2."""
    # Asked to end, a command ends as if interrupted: what it had half started is cleaned up.
    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output stopped before its end: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.UNDECIDED)
    except Exception as error:
        from cli.ending import end  # noqa: PLC0415 # it imports every room, for the errors of each

        sys.exit(end(error))
