"""Every command, where it is, and what it says of itself. Nothing is imported before it is run, so that who asks for help pays for none of it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One command.

    Attributes:
        place: its module, and after a colon its function there, or the group of its own commands.
        summary: the first paragraph of its help, which a test compares with it.
    """

    place: str
    summary: str

    def load(self, name: str) -> Any:
        """Import the command, and return it as the command line runs it."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return get_group(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        alone.command(name)(found)
        return get_command(alone)


COMMANDS: Final[dict[str, Entry]] = {
    "up": Entry(
        place="cli.commands.up:up",
        summary="Judge a stack and, if its boundary is kept, deploy it, wait until it is ready, and verify it. "
        "Again: only what changed, or drifted.",
    ),
    "down": Entry(
        place="cli.commands.down:down",
        summary="Remove everything that `perimeter up` made for a stack. "
        "Definitions that charts keep on purpose stay, as with `pulumi destroy`.",
    ),
    "check": Entry(
        place="cli.commands.check:check",
        summary="Plan a stack and prove its boundary, with values that only a deployment knows taken as unknown and then as stand-ins.",
    ),
    "plan": Entry(
        place="cli.commands.plan:plan",
        summary="Run the Pulumi program without engine, login or credentials, and write its plan in the shape of a stack export.",
    ),
    "cost": Entry(
        place="cli.commands.cost:cost",
        summary="Estimate a stack's monthly cost by layer from the resources of its plan; exit 2 if something in it has no price.",
    ),
    "judge": Entry(
        place="cli.commands.judge:judge",
        summary="Judge a file: a plan of ours, or a `pulumi stack export`. "
        "The topology is the one given, else the one the plan's top component names.",
    ),
    "explain": Entry(
        place="cli.commands.explain:explain",
        summary="Say whether SOURCE can reach TARGET in the planned stack, and which resource allows or refuses each hop.",
    ),
    "diff": Entry(
        place="cli.commands.diff:diff",
        summary="Say what crosses the boundary of NEW that did not cross that of OLD, and the other way round: doors, calls, bridges, egress.",
    ),
    "rules": Entry(place="cli.commands.rules:rules", summary="List the rules, show the page of one, or write all pages."),
    "schema": Entry(
        place="cli.commands.schema:schema",
        summary="Print the JSON Schema of topology files, for editors to complete and check by.",
    ),
    "diagram": Entry(
        place="cli.commands.diagram:diagram",
        summary="Print a Mermaid flowchart of a topology: doors, services, calls, bridges, egress.",
    ),
    "verify": Entry(
        place="cli.commands.verify:verify_",
        summary="Probe a running system: every call that the topology allows is admitted, every other refused, by the layer that should.",
    ),
    "lab": Entry(
        place="cli.commands.lab:app",
        summary="Start and stop the embedded cluster: a real Kubernetes for a machine that has none. Needs root.",
    ),
}
"""By name, in the order in which they are listed."""


class Commands(TyperGroup):
    """A group that lists what its commands say of themselves, and imports the one that is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments name, imported."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, COMMANDS[name].load(name) if name and listed else None, rest


def listed() -> None:
    """Stand for a command in the list of them."""
