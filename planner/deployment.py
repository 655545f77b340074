"""What a program is told about the deployment that it is part of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner import values
from planner.plan import Known, Mode
from planner.wire import Json


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the engine knows of the deployment. See `planner.project.Program` for the names."""

    project: str
    stack: str
    organization: str
    root: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    mode: Mode
    known: Mapping[str, Known] = field(default_factory=dict[str, Known])

    def secret(self, content: Json) -> Json:
        """Return what is recorded of a secret: a placeholder, unless the plan is one to deploy from."""
        return values.reveal(content) if self.mode is Mode.RESOLVED else values.seal(content)
