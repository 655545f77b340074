"""How long a change of the topology takes from `perimeter up` to the last proxy: judged, applied, rolled out, enforced."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from tests.bench.path.caching import Edge
from tests.bench.path.changes import SETTLED, Delay
from tests.bench.path.cluster import BenchError
from tests.bench.path.figures import Spread

TOPOLOGY: Final = Path(__file__).parent / "path.topology.yaml"
_PAUSE: Final = 0.1
_SETTLED_AFTER: Final = 60
"""Seconds that a change may take beyond the end of `perimeter up`."""


def with_a_door_more(text: str) -> str:
    """Return the topology with one more public door."""
    topology: dict[str, Any] = yaml.safe_load(text)
    door = topology["doors"]["catalogue"]
    topology["doors"]["late"] = {
        "methods": ["GET"],
        "paths": ["/late/*"],
        "service": "catalogue",
        "auth": door["auth"],
        "tiers": door["tiers"],
    }
    return yaml.safe_dump(topology, sort_keys=False)


def deploy(topology: Path) -> "subprocess.Popen[bytes]":
    """Start `perimeter up` for the embedded cluster."""
    options = ("--lab", "--echo", "--no-verify", "--topology", str(topology))
    command = (sys.executable, "-c", "from cli.main import main; main()", "up", "local", *options)
    return subprocess.Popen(command, stdout=sys.stderr.fileno())


def _seconds(topology: Path, follows: Callable[[], bool]) -> float:
    """Deploy a topology; return when the first of a lasting row of answers followed it."""
    began, row, ended = time.monotonic(), list[float](), None
    with deploy(topology) as process:
        while len(row) < SETTLED:
            asked = time.monotonic() - began
            row = [*row, asked] if follows() else []
            if ended is None and process.poll() is not None:
                ended = asked
            if ended is not None and (process.returncode or asked > ended + _SETTLED_AFTER):
                break
            time.sleep(_PAUSE)
    if process.returncode:
        raise BenchError(f"`perimeter up` of {topology} ended with {process.returncode}; its words stand above")
    if len(row) < SETTLED:
        raise BenchError(f"the change was not in force {_SETTLED_AFTER} s after `perimeter up` ended")
    return row[0]


def measure(edge: Edge) -> Delay:
    """Open one more door, and close it again. Afterwards the system is what it was."""
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / TOPOLOGY.name
        changed.write_text(with_a_door_more(TOPOLOGY.read_text(encoding="utf-8")), encoding="utf-8")
        opened = _seconds(changed, lambda: edge.status("/late/x") == 200)
        closed = _seconds(TOPOLOGY, lambda: edge.status("/late/x") not in (200, 0))
    return Delay(refusing=Spread.of([closed]), allowing=Spread.of([opened]))
