"""A plan: the value every other tool reads, in the shape of `pulumi stack export`."""

import json
from dataclasses import dataclass
from typing import Any

from planner.errors import PlanError


@dataclass(frozen=True)
class Plan:
    """Resources in the shape of a stack export (deployment version 3)."""

    resources: tuple[dict[str, Any], ...]
    mode: str = ""

    def to_json(self) -> str:
        """Return deterministic JSON."""
        return json.dumps({"version": 3, "perimeterMode": self.mode, "deployment": {"manifest": {}, "resources": list(self.resources)}}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read a plan or a stack export."""
        document = json.loads(text)
        if not isinstance(document, dict) or "deployment" not in document:
            raise PlanError(["not a stack export"])
        return cls(tuple(document["deployment"].get("resources", ())), document.get("perimeterMode", ""))
