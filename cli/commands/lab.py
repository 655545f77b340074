"""`perimeter lab`: the embedded cluster."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import lab
from cli.console import console_for_people
from cli.problems import problems_of
from cli.report.refusal import refuse
from lab import ConsoleProgress
from lab.errors import LabError

app = typer.Typer(
    help="Start and stop the embedded cluster: a real Kubernetes for a machine that has none. Needs root.", no_args_is_help=True
)


@app.command()
def start() -> None:
    """Build what is missing (once, 20 to 40 minutes on two cores) and start the cluster."""
    with _told("started"):
        running = lab.start(ConsoleProgress())
    console = Console(highlight=False)
    console.print(f"The embedded cluster runs; node ports answer on {running.node_address}.")
    console.print(f"export KUBECONFIG={running.kubeconfig} PATH={running.bin}:$PATH", soft_wrap=True)


@app.command()
def stop() -> None:
    """End the cluster and leave the machine as it was; what is deployed comes back at the next start."""
    with _told("stopped"):
        lab.stop()


@app.command()
def status() -> None:
    """Say which parts run. Exit code 1 where the cluster does not run."""
    table = Table("part", "state")
    for part, words in lab.status().items():
        table.add_row(part, words)
    console_for_people().print(table)
    if lab.current() is None:
        raise typer.Exit(1)


@app.command()
def reset(
    builds: Annotated[bool, typer.Option("--builds", help="Forget what was built as well; the next start builds it again.")] = False,
) -> None:
    """End the cluster and forget what is deployed in it."""
    with _told("reset"):
        lab.reset(builds=builds)


@contextmanager
def _told(done: str) -> Generator[None]:
    """End the command with what kept it from its end."""
    try:
        yield
    except LabError as error:
        sys.exit(refuse(problems_of(error), f"the embedded cluster was not {done}."))
