"""Where the project is, which stacks it has, and which topology a stack uses."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from cli.errors import UsageError
from topology.findings import did_you_mean

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
    def stacks(self) -> dict[str, Path]:
        """Return the stack files by stack name."""
        files = sorted((self.root / "stacks").glob("Pulumi.*.yaml"))
        return {file.name.removeprefix("Pulumi.").removesuffix(".yaml"): file for file in files}

    @property
    def policies(self) -> Path:
        """Return the folder of the policy pack."""
        return self.root / "policies"

    def topology_of(self, stack: str, given: Path | None) -> Path:
        """Return the topology file: the one given on the command line, else the one the stack's configuration names.

        Raises:
            UsageError: where the stack does not exist or names no topology.
        """
        if stack not in self.stacks:
            raise UsageError(f'"{stack}" is not a stack of {self.root} ({did_you_mean(stack, self.stacks)}). Add stacks/Pulumi.{stack}.yaml.')
        if given is not None:
            return given.resolve()
        settings = yaml.safe_load(self.stacks[stack].read_text(encoding="utf-8")) or {}
        named = settings.get("config", {}).get(TOPOLOGY_KEY)
        if not isinstance(named, str):
            raise UsageError(f"{self.stacks[stack]}: config has no {TOPOLOGY_KEY}. Add it, or give --topology FILE.")
        return (self.root / named).resolve()
