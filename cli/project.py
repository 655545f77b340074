"""Where the project is, and which topology a stack uses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.errors import UsageError
from planner.errors import PlanError
from planner.project import Program, load_program, stacks_of

TOPOLOGY_KEY = "perimeter:topology"
"""The stack configuration key that names the topology file, relative to the project's root."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with a `Pulumi.yaml`."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> "Project":
        """Return the project that a folder belongs to.

        Raises:
            UsageError: where neither the folder nor one above it holds a `Pulumi.yaml`.
        """
        for folder in (start, *start.parents):
            if (folder / "Pulumi.yaml").is_file():
                return cls(root=folder)
        raise UsageError(f"{start}: no Pulumi.yaml here or above. Run perimeter inside a checkout, or name it with --project.")

    @property
    def policies(self) -> Path:
        """Return the folder of the policy pack."""
        return self.root / "policies"

    def program(self, stack: str) -> Program:
        """Return the program of a stack.

        Raises:
            PlanError: where the stack does not exist or its file cannot be read.
            UsageError: where a file was given in place of its name.
        """
        if "/" in stack or Path(stack).is_file():
            name = re.sub(r"^Pulumi\.|\.ya?ml$", "", Path(stack).name)
            known = stacks_of(self.root)
            raise UsageError(
                f"{stack}: that is the file of stack {name}, which goes by its name alone: {name}."
                if name in known
                else f"{stack}: that is a file, and a stack goes by its name. A topology is given beside the stack that it is planned for: "
                f"STACK --topology {stack}. Stacks here: {', '.join(known) or 'none'}."
            )
        return load_program(self.root, stack, {})

    def topology_of(self, stack: str, given: Path | None) -> Path:
        """Return the topology file: the one given on the command line, else the one the stack's configuration names.

        Raises:
            PlanError: where the stack does not exist or its file cannot be read.
            UsageError: where the stack names no topology.
        """
        config = self.program(stack).config
        if given is not None:
            return given.resolve()
        if TOPOLOGY_KEY not in config:
            raise UsageError(
                f"stack {stack}: its configuration has no {TOPOLOGY_KEY}. Add it to the stack's file, or give --topology FILE."
            )
        return (self.root / config[TOPOLOGY_KEY]).resolve()

    def config_of(self, stack: str) -> Mapping[str, str]:
        """Return what a stack's file configures, as the engine hands it over; nothing where there is no such file, or none that can be read."""
        try:
            return load_program(self.root, stack, {}).config
        except PlanError:
            return {}

    def name_of(self, file: Path) -> str:
        """Return a file as a stack's configuration names it: from the project's root where it lies below, so that plans of two machines are equal."""
        return str(file.relative_to(self.root.resolve()) if file.is_relative_to(self.root.resolve()) else file)
