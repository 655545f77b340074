"""The cluster, by way of kubectl: the one context that was asked for, never another."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.errors import CannotProbeError

PATIENCE = 120.0
"""Seconds that a command of kubectl may take."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """How to reach a cluster."""

    kubectl: str = "kubectl"
    kubeconfig: Path | None = None
    context: str = ""

    def run(self, *arguments: str, given: str | None = None, patience: float = PATIENCE) -> str:
        """Return what kubectl prints.

        Raises:
            CannotProbeError: with what kubectl says.
        """
        where = [
            *(["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []),
            *(["--context", self.context] if self.context else []),
        ]
        try:
            done = subprocess.run(
                [self.kubectl, *where, *arguments],
                input=given.encode("latin-1", "replace") if given is not None else None,
                capture_output=True,
                timeout=patience,
                check=False,
            )
        except FileNotFoundError as error:
            raise CannotProbeError(f"{self.kubectl}: not found. Probing needs kubectl on PATH, or named by --kubectl.") from error
        except subprocess.TimeoutExpired as error:
            raise CannotProbeError(f"kubectl {arguments[0]} did not come back within {patience:.0f} s.") from error
        if done.returncode:
            raise CannotProbeError(f"kubectl {' '.join(arguments[:4])}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode("utf-8", "replace")

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return an object, or a list of objects, of the cluster."""
        return json.loads(self.run("get", *arguments, "-o", "json"))

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects of a list."""
        return self.get(*arguments)["items"]
