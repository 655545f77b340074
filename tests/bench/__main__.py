"""`make bench`: time and memory of `perimeter check` from 3 to 1,000 services. Prints a table, asserts nothing."""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from tests.bench.systems import system

ROOT = Path(__file__).parents[2]
SIZES = (3, 30, 100, 300, 1000)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One `perimeter check`: seconds, and the memory of all its processes at the worst moment in MiB."""

    services: int
    resources: int
    total: float
    planning: float
    judging: float
    memory: float


def _memory(root: int) -> float:
    """Return the proportional set size of a process and its descendants in MiB: shared pages count once."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def measure(services: int, stack: str) -> Run:
    """Check a system of that many services once and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.topology.yaml"
        file.write_text(yaml.safe_dump(system(services), sort_keys=False), encoding="utf-8")
        output = Path(folder) / "report.json"
        command = [sys.executable, "-c", "from cli.main import main; main()", "check", stack, "--topology", str(file), "--format", "json"]
        worst = 0.0
        started = time.monotonic()
        with output.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, cwd=ROOT, env=os.environ)
            done = threading.Event()

            def watch() -> None:
                nonlocal worst
                while not done.wait(0.25):
                    worst = max(worst, _memory(process.pid))

            watcher = threading.Thread(target=watch)
            watcher.start()
            process.wait()
            total = time.monotonic() - started
            done.set()
            watcher.join()
        report = json.loads(output.read_text(encoding="utf-8"))
        if report["verdict"] != "kept":
            raise SystemExit(f"{services} services: {report['verdict']}: {report['findings'][:3]}")
        timing = report["seconds"]
        return Run(
            services=services,
            resources=report["resources"],
            total=total,
            planning=timing["planning"],
            judging=timing["judging"],
            memory=worst,
        )


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--stack", default="local")
    arguments = parser.parse_args()
    console = Console(width=120)
    table = Table(title=f"perimeter check {arguments.stack}: plan (both modes) and judge, {os.cpu_count()} cores", title_justify="left")
    for column in ("services", "resources", "total s", "plan s", "judge s", "ms/service", "judge exponent", "peak MiB"):
        table.add_column(column, justify="right")
    before: Run | None = None
    for size in arguments.sizes:
        run = measure(size, arguments.stack)
        exponent = f"{math.log(run.judging / before.judging) / math.log(run.services / before.services):.2f}" if before else ""
        table.add_row(
            *(str(run.services), str(run.resources), f"{run.total:.1f}", f"{run.planning:.1f}", f"{run.judging:.2f}"),
            *(f"{run.total / run.services * 1000:.0f}", exponent, f"{run.memory:.0f}"),
        )
        before = run
    console.print(table)


if __name__ == "__main__":
    main()
