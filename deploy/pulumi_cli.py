"""Deploys with the Pulumi CLI: the same program, judged once more by the policy pack on what the real engine plans.

The state is where the user says; who says nowhere gets a local file backend, without touching the login of this machine.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from deploy import pulumi_backend
from deploy.errors import DeployError

_KEPT: Final = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What Pulumi itself writes into a stack file."""
_TOOLS: Final = Path(".tools", "bin")
"""Where `make setup` puts uv, which Pulumi.yaml's `toolchain: uv` asks for."""


def found() -> str | None:
    """Return the CLI's path, or None where there is none."""
    return shutil.which("pulumi")


@dataclass(frozen=True, kw_only=True)
class PulumiStack:
    """One stack of one project.

    Attributes:
        root: the folder of Pulumi.yaml.
        stack: the stack's name.
        stack_file: its committed configuration.
        config: configuration laid over it.
        policies: the folder of the policy pack.
    """

    root: Path
    stack: str
    stack_file: Path
    config: Mapping[str, str]
    policies: Path

    def up(self) -> int:
        """Preview, judge and deploy; returns the CLI's exit code. What it prints goes where ours goes."""
        environment = self._environment()
        self._select(environment, "--create")
        return self._run(["up", *self._common, "--policy-pack", str(self.policies)], environment)

    def exists(self) -> bool:
        """Whether the backend knows the stack.

        Raises:
            DeployError: the backend did not say.
        """
        code, said = self._ask(["stack", "--stack", self.stack], self._environment())
        # The words of `RequireStack` in `pkg/cmd/pulumi/stack` of pulumi/pulumi; any other failure says nothing about the stack.
        if code and f"no stack named '{self.stack}' found" not in said:
            raise DeployError(
                [
                    f"pulumi stack --stack {self.stack}: exit code {code}: {said}. Whether there is such a stack is not known. Mend that first."
                ]
            )
        return not code

    def down(self) -> int:
        """Destroy everything and forget the stack; returns the CLI's exit code."""
        environment = self._environment()
        self._select(environment)
        code = self._run(["destroy", "--skip-preview", *self._common], environment)
        return code or self._run(["stack", "rm", self.stack, "--yes", "--preserve-config"], environment)

    @property
    def _common(self) -> list[str]:
        return ["--yes", "--stack", self.stack, "--config-file", str(self.config_file)]

    @property
    def config_file(self) -> Path:
        """Return the configuration that the CLI is given: the committed one, what lies over it, and Pulumi's own entries."""
        return self.root / "build" / "pulumi" / f"Pulumi.{self.stack}.yaml"

    def _select(self, environment: Mapping[str, str], *how: str) -> None:
        """Select the stack, or create it; what Pulumi writes into the committed file then moves to ours."""
        before = self.stack_file.read_bytes()
        try:
            if code := self._run(["stack", "select", self.stack, *how], environment):
                raise DeployError([f"pulumi stack select {self.stack}: exit code {code}; its words stand above."])
            written = _mapping(self.stack_file)
        finally:
            self.stack_file.write_bytes(before)
        own = _mapping(self.config_file) if self.config_file.is_file() else {}
        document = {**_mapping(self.stack_file), **{key: value for key in _KEPT if (value := own.get(key) or written.get(key))}}
        document["config"] = {**(document.get("config") or {}), **{key: _value(text) for key, text in self.config.items()}}
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(json.dumps(document, indent=1), encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        """Return the environment of the CLI.

        Raises:
            DeployError: the user has said where the state is, and it cannot be reached: one begun elsewhere would know of nothing that is deployed.
        """
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(self.root.absolute() / _TOOLS)])
        environment = {**os.environ, "PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        code, said = self._ask(["whoami"], environment)
        if code == 0:
            return environment
        if where := pulumi_backend.chosen(self.root, environment):
            raise DeployError(
                [
                    f"pulumi whoami: exit code {code}: {said}. {where} says where the state is, and a second state beside it would know nothing "
                    "of what is deployed. Log in there (pulumi login), or take that away to keep the state on this machine."
                ]
            )
        return pulumi_backend.local(environment)

    def _ask(self, words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
        """Return the exit code and what was printed, on one line."""
        done = subprocess.run(
            self._command(words),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, " ".join(f"{done.stdout} {done.stderr}".split()).rstrip(".") or "no word of why"

    def _run(self, words: Sequence[str], environment: Mapping[str, str]) -> int:
        return subprocess.run(self._command(words), env=dict(environment), stdin=subprocess.DEVNULL, check=False).returncode

    def _command(self, words: Sequence[str]) -> list[str]:
        return [found() or "pulumi", *words, "--non-interactive", "--cwd", str(self.root)]


def _mapping(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {}


def _value(text: str) -> Any:
    """Return a structured value for JSON text, as a stack file holds it."""
    return json.loads(text) if text.startswith(("{", "[")) else text
