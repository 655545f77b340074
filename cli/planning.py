"""Plans with progress on the terminal."""

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.project import TOPOLOGY_KEY, Project
from planner.plan import Plan
from planner.program import Mode, plan_program


def plan_one(project: Project, stack: str, topology: Path, mode: Mode) -> Plan:
    """Plan a stack in one mode."""
    return plan_all(project, stack, topology, (mode,))[mode]


def plan_all(project: Project, stack: str, topology: Path, modes: tuple[Mode, ...], config: Mapping[str, str] = {}) -> dict[Mode, Plan]:
    """Plan a stack in several modes, side by side.

    Args:
        project: where it is.
        stack: the stack's name.
        topology: its topology file.
        modes: how unknown values are taken.
        config: configuration laid over the stack's, such as what a cluster needs.

    Raises:
        PlanError: with the findings of the first mode that failed.
    """
    given = {**config, TOPOLOGY_KEY: project.name_of(topology)}
    with _progress(stack, modes) as advance, ThreadPoolExecutor(len(modes)) as pool:
        running = {
            mode: pool.submit(plan_program, project.root, stack, given, mode=mode, progress=lambda count, mode=mode: advance(mode, count))
            for mode in modes
        }
        return {mode: future.result() for mode, future in running.items()}


@contextmanager
def _progress(stack: str, modes: tuple[Mode, ...]) -> Generator[Callable[[Mode, int], None]]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("planning {task.fields[stack]}"), TextColumn("{task.completed} resources"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("plan", total=None, stack=stack)
        counts = dict.fromkeys(modes, 0)

        def advance(mode: Mode, count: int) -> None:
            counts[mode] = count
            progress.update(task, completed=max(counts.values()))

        yield advance
