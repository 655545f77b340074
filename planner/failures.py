"""What is said about a program that failed: its own error and its own lines, not the planner's."""

import asyncio
import traceback
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, cast

import pulumi

_DEEPEST = 10_000
"""More frames than a stack has: without a number the interpreter's own limit would apply."""

_SHOWN = 4
"""How many of the project's lines are shown: the innermost."""


class Origin(Enum):
    """When an error was raised."""

    PROGRAM = auto()
    """While the program's own code ran."""

    REGISTRATION = auto()
    """Afterwards, in a function given to `apply` or while a resource was registered."""


def describe(error: BaseException, origin: Origin, root: Path, found: Sequence[str]) -> list[str]:
    """Return findings for the error with which a program ended.

    Args:
        error: what was raised.
        origin: when it was raised.
        root: the project's folder.
        found: what was found already; an error that only repeats it is left out.
    """
    if isinstance(error, SystemExit):
        return [
            f"the program called sys.exit({error.code!r}). What it had not registered by then is not in the plan. Let it run to its end."
        ]
    for raised in _chain(error):
        own: object = getattr(raised, "findings", None)
        if isinstance(own, Iterable) and not isinstance(own, str):
            return [str(finding) for finding in cast(Iterable[object], own)]
    text = str(error)
    if any(finding in text for finding in found):
        return []
    if isinstance(error, pulumi.RunError):
        return [text]
    when = "" if origin is Origin.PROGRAM else "while its resources were registered, "
    lines = [f"{when}the program raised {type(error).__name__}: {text}", *_lines(error, root)]
    return ["\n".join(lines)]


def _lines(error: BaseException, root: Path) -> list[str]:
    if isinstance(error, SyntaxError) and error.filename:
        return [f"  {_relative(error.filename, root)}:{error.lineno}", *([f"    {error.text.strip()}"] if error.text else [])]
    for raised in _chain(error):
        frames = [frame for frame in traceback.extract_tb(raised.__traceback__, _DEEPEST) if _is_own(frame.filename, root)]
        if frames:
            return [line for frame in frames[-_SHOWN:] for line in _show(frame, root)]
    return []


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those behind it, once each: the SDK wraps what `apply` raises, and raises some errors from themselves."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        raised = waiting.pop(0)
        if raised is not None and id(raised) not in seen:
            seen.add(id(raised))
            yield raised
            waiting += (raised.__cause__, raised.__context__)


def _show(frame: traceback.FrameSummary, root: Path) -> Iterable[str]:
    yield f"  {_relative(frame.filename, root)}:{frame.lineno} in {frame.name}"
    if frame.line:
        yield f"    {frame.line}"


def _is_own(filename: str, root: Path) -> bool:
    path = Path(filename)
    return path.is_relative_to(root) and not {"site-packages", ".venv", "venv"}.intersection(path.parts)


def _relative(filename: str, root: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(root)) if path.is_relative_to(root) else filename


def describe_stall(tasks: Iterable["asyncio.Task[Any]"]) -> str:
    """Return a finding for a program that waits for ever, with the resources that wait."""
    waiting = sorted({name for task in tasks if (name := _registered_by(task))})
    which = f" Waiting: {', '.join(waiting)}." if waiting else ""
    return f"the program ends with outputs that never get a value.{which} Look for a future, or an Output made from one, that nothing completes."


def _registered_by(task: "asyncio.Task[Any]") -> str:
    """Return the resource whose registration a task of the SDK is, as far as its local variables tell."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    variables: dict[str, Any] = frame.f_locals if frame is not None else {}
    if "ty" in variables and "name" in variables:
        return f"{variables['ty']} {variables['name']!r}"
    resource: Any = variables.get("res")
    return f"outputs of {resource.pulumi_resource_type} {resource.pulumi_resource_name!r}" if isinstance(resource, pulumi.Resource) else ""
