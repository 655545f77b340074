"""Where the Pulumi CLI keeps its state: where the user says, else in a folder of this machine.

Source of what says so, and in which order: `pkg/workspace/creds.go` of pulumi/pulumi, https://www.pulumi.com/docs/iac/concepts/state-and-backends/.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

_VARIABLES: Final = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")
_PASSPHRASES: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
_WRITTEN_BY_THEN: Final = 60.0
"""Seconds after which nobody is still writing a lock."""


def chosen(root: Path, environment: Mapping[str, str]) -> str:
    """Return what says where the state is, for people; empty where nothing does. What cannot be read may say so.

    Args:
        root: the folder of Pulumi.yaml.
        environment: of the CLI.
    """
    variables = [name for name in _VARIABLES if environment.get(name)]
    files = {file: "backend" for name in ("Pulumi.yaml", "Pulumi.yml") if (file := root / name).is_file()}
    files[_credentials(environment)] = "current"
    return next(iter([*variables, *(f"`{key}` in {file}" for file, key in files.items() if _says(file, key))]), "")


def local(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a file backend of this machine, whose left-over locks are removed."""
    folder = Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "perimeter" / "pulumi"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_left_over_locks(folder)
    found = {**environment, "PULUMI_BACKEND_URL": f"file://{folder}"}
    if not any(environment.get(name) for name in _PASSPHRASES):
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase(folder))
    return found


def _credentials(environment: Mapping[str, str]) -> Path:
    """Return the file that `pulumi login` writes."""
    folder = environment.get("PULUMI_CREDENTIALS_PATH") or environment.get("PULUMI_HOME") or Path.home() / ".pulumi"
    return Path(folder) / "credentials.json"


def _says(file: Path, key: str) -> bool:
    try:
        # JSON is YAML.
        document: object = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, yaml.YAMLError):
        return True
    return bool(cast(dict[str, Any], document).get(key)) if isinstance(document, dict) else document is not None


def _remove_left_over_locks(folder: Path) -> None:
    """Remove the locks of runs on this machine that were killed: nobody else can, and `pulumi up` refuses to run beside them."""
    for file in (folder / ".pulumi" / "locks").rglob("*.json"):
        if _is_left_over(file):
            file.unlink(missing_ok=True)


def _is_left_over(file: Path) -> bool:
    """Whether the run that took a lock has ended: its process is gone, or was while it wrote the lock.

    Source of a lock's form: `pkg/backend/diy/lock.go` of pulumi/pulumi.
    """
    try:
        lock: Any = json.loads(file.read_text(encoding="utf-8"))
        host, pid = str(lock["hostname"]), int(lock["pid"])
    except FileNotFoundError:
        return False
    except (ValueError, TypeError, KeyError):
        return time.time() - file.stat().st_mtime > _WRITTEN_BY_THEN
    return host == socket.gethostname() and not _runs(pid)


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
