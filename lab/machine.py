"""Limits of the whole machine that a cluster of many pods meets: raised while it runs, put back by `stop`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lab.settings import RUN

SYSCTLS: Final = Path("/proc/sys")
NEEDED: Final[Mapping[str, int]] = {
    # Each pilot-agent takes some, all as one user: with the kernel's 128, the sixtieth sidecar ends with "too many open files".
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 524288,
}
"""Settings of the kernel, and the least that is enough for 250 pods. They have no copy for each namespace."""


def raise_limits() -> None:
    """Raise what is too low, and keep what it was."""
    for name, needed in NEEDED.items():
        setting = SYSCTLS / name
        found = setting.read_text()
        if int(found) < needed:
            former = _former(name)
            former.parent.mkdir(parents=True, exist_ok=True)
            former.write_text(found)
            setting.write_text(f"{needed}\n")


def restore_limits() -> None:
    """Put back what was raised, unless somebody else has changed it since."""
    for name, needed in NEEDED.items():
        former, setting = _former(name), SYSCTLS / name
        if former.exists() and int(setting.read_text()) == needed:
            setting.write_text(former.read_text())
        former.unlink(missing_ok=True)


def _former(name: str) -> Path:
    return RUN / "limits" / name.replace("/", ".")
