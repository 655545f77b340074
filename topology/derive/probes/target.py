"""Whom a probe asks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from topology.derive.probes.pods import Pods


class At(StrEnum):
    """How the address of a target is found."""

    EDGE = "edge"
    """The public address."""
    NAME = "name"
    """A name, or an address as it stands."""
    POD = "pod"
    """The address of one pod, found on the run."""


@dataclass(frozen=True, kw_only=True, order=True)
class Target:
    """Whom a probe asks."""

    at: At
    name: str = ""
    pods: Pods | None = None
    port: int = 0

    def __str__(self) -> str:
        """Return the target in words."""
        match self.at:
            case At.EDGE:
                return "the public address"
            case At.POD:
                return f"pod {self.pods}:{self.port}"
            case At.NAME:
                return f"{self.name}:{self.port}"


EDGE: Final = Target(at=At.EDGE)
