"""What keeps a deployment from its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One resource that could not be made, changed or removed.

    Attributes:
        resource: which, as people call it: `Deployment abc/a-v1`.
        said: what the server, Helm or the provider said.
        seen: what was seen in the cluster meanwhile: conditions, states of containers, events.
        advice: what to do.
    """

    resource: str
    said: str
    seen: Sequence[str] = field(default=())
    advice: str = ""

    def __str__(self) -> str:
        """Return the trouble as indented text."""
        lines = [f"{self.resource}: {self.said}", *(f"    {line}" for line in self.seen)]
        return "\n".join([*lines, f"    → {self.advice}"] if self.advice else lines)


class DeployError(Exception):
    """A deployment that did not come to its end.

    Attributes:
        findings: everything that went wrong, in the order in which it happened.
    """

    findings: tuple[str, ...]

    def __init__(self, findings: Sequence[object]) -> None:
        self.findings = tuple(str(finding) for finding in findings)
        super().__init__("\n".join(self.findings))


class MadeByPulumiError(DeployError):
    """What is to be removed was made by the Pulumi CLI, which alone can remove it."""
