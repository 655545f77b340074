"""What is deployed and where, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.objects import Change
from deploy.processes import Tools
from deploy.releases import Mirror


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is deployed, and where.

    Attributes:
        root: the folder of Pulumi.yaml.
        project: the project's name.
        stack: the stack's name.
        config: configuration in place of the stack file's.
        tools: kubectl and helm, and the cluster that they talk to.
        mirror: local copies of published charts.
        adopt: take over objects that exist and were not made from here.
    """

    root: Path
    project: str
    stack: str
    config: Mapping[str, str]
    tools: Tools
    mirror: Mirror = field(default=lambda chart, version: None)
    adopt: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run did: how many things of each change, and how long it took in seconds."""

    changes: Mapping[Change, int]
    seconds: float

    @property
    def nothing(self) -> bool:
        """Whether everything was as it should be."""
        return not any(count for change, count in self.changes.items() if change is not Change.SAME)
