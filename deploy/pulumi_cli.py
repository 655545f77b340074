"""Deploys with the Pulumi CLI: the same program, judged once more by the policy pack on what the real engine plans.

The state is where the user is logged in; who is logged in nowhere gets a local file backend, without touching the login of this machine.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.errors import DeployError

_KEPT: Final = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What Pulumi itself writes into a stack file."""
_PASSPHRASES: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


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
        """Whether the stack was ever deployed by the CLI, as far as its backend knows."""
        return self._run(["stack", "--stack", self.stack], self._environment(), quiet=True) == 0

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
        environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        if self._run(["whoami"], environment, quiet=True) == 0:
            return environment
        folder = _state_folder()
        _remove_dead_locks(folder)
        environment["PULUMI_BACKEND_URL"] = f"file://{folder}"
        if not any(environment.get(name) for name in _PASSPHRASES):
            environment["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase(folder))
        return environment

    def _run(self, words: Sequence[str], environment: Mapping[str, str], *, quiet: bool = False) -> int:
        sink = subprocess.DEVNULL if quiet else None
        command = [found() or "pulumi", *words, "--non-interactive", "--cwd", str(self.root)]
        return subprocess.run(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False).returncode


def _state_folder() -> Path:
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "perimeter" / "pulumi"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _remove_dead_locks(folder: Path) -> None:
    """Remove the locks of runs on this machine that were killed: nobody else can, and `pulumi up` refuses to run beside them.

    Source of their form: `pkg/backend/diy/lock.go` of pulumi/pulumi.
    """
    for file in (folder / ".pulumi" / "locks").rglob("*.json"):
        lock: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if lock.get("hostname") == socket.gethostname() and not _runs(int(lock.get("pid") or 0)):
            file.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _passphrase(folder: Path) -> Path:
    """Return the file of a passphrase that was made for this machine: the state's secrets are no safer than the folder they lie in."""
    file = folder.parent / "passphrase"
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as writing:
            writing.write(secrets.token_urlsafe(32))
    return file


def _mapping(file: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 # only where the Pulumi CLI deploys

    return yaml.safe_load(file.read_text(encoding="utf-8")) or {}


def _value(text: str) -> Any:
    """Return a structured value for JSON text, as a stack file holds it."""
    return json.loads(text) if text.startswith(("{", "[")) else text
