"""Arguments and options that several commands take, each described once."""

from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from cli.project import Project
from planner.project import stacks_of

HERE: Final = Path()


class Format(StrEnum):
    """How a verdict is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MARKDOWN = "markdown"


class With(StrEnum):
    """What deploys."""

    PULUMI = "pulumi"
    KUBECTL = "kubectl"


def _named(context: typer.Context, stack: str) -> str:
    """Ask for a stack by the names of those there are.

    Raises:
        BadParameter: where none was named.
    """
    if not stack and not context.resilient_parsing:
        known = stacks_of(Project.find((context.params.get("project") or HERE).resolve()).root)
        raise typer.BadParameter(f"which stack? {', '.join(known) if known else 'None has a file here'}.")
    return stack


Stack = Annotated[str, typer.Argument(help="Stack name: stacks/Pulumi.<stack>.yaml.", metavar="STACK", callback=_named, show_default=False)]
NO_STACK: Final = ""
"""Nothing was given for a stack's name, which a command asks for with those there are."""
TopologyFile = Annotated[
    Path | None,
    typer.Option("--topology", "-t", help="Topology file; default: the one that the stack, or the judged plan, names.", show_default=False),
]
Folder = Annotated[Path, typer.Option("--project", help="Project folder, or one inside it.", show_default=False)]
AnyFormat = TypeVar("AnyFormat", bound=str)

_ASKED: ContextVar[str] = ContextVar("format", default=Format.TEXT)


def asks_format(output: AnyFormat) -> AnyFormat:
    """Remember the format that was asked for: what ends without a verdict is told in it, too."""
    _ASKED.set(output)
    return output


def asked_format() -> Format:
    """Return the format that was asked for."""
    return Format(_ASKED.get())


OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="How to write the verdict.", callback=asks_format)]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every door, call and rule.")]
PlanFile = Annotated[str, typer.Argument(help="plan.json, a `pulumi stack export`, or - for standard input.", show_default=False)]
ContextName = Annotated[str | None, typer.Option("--context", help="Kube context of the cluster.", show_default=False)]
KubeconfigFile = Annotated[Path | None, typer.Option("--kubeconfig", help="Kubeconfig file of the cluster.", show_default=False)]
UseLab = Annotated[bool, typer.Option("--lab", help="The embedded cluster, which needs root; up starts it where it does not run.")]
UseKind = Annotated[
    bool, typer.Option("--kind", help="A kind cluster named perimeter, which needs Docker; up creates it where there is none.")
]
DeployWith = Annotated[
    With | None,
    typer.Option("--with", help="What deploys; default: the Pulumi CLI where it is on PATH, else kubectl and helm.", show_default=False),
]
