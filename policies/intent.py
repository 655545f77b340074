"""The intent: which reviewed topology a stack is held against, found by the judge itself, never taken from the program's word.

The program may say which file it was made from. What is in that file is read here, and rule P06 compares.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from policies.reading.values import mapping
from topology.load import load
from topology.model.system import Topology

SYSTEM_TYPE: Final = "perimeter:system:System"
"""Type of the top component, whose input `topology` names the file and whose input `digest` is that of the program's model."""

VARIABLE: Final = "PERIMETER_TOPOLOGY"
"""Environment variable that names the topology file, before everything else."""

CONFIG_KEY: Final = "topology"
"""Key of the stack's configuration that names it (`perimeter:topology`)."""


class IntentError(Exception):
    """No topology could be found: nothing can be judged."""


def load_intent(path: Path) -> Topology:
    """Return the topology in a file.

    Raises:
        TopologyError: with everything that is wrong with it.
    """
    return load(path)


def topology_named_by(records: Iterable[Mapping[str, Any]], root: Path) -> Path | None:
    """Return the topology file that the top component of a plan names, or None where it names none.

    `records` are resources as a plan lists them; a relative name is taken from the project's root.
    """
    for record in records:
        if record.get("type") == SYSTEM_TYPE:
            for side in ("inputs", "outputs"):
                named: object = mapping(record.get(side)).get("topology")
                if isinstance(named, str) and named:
                    return root / named
    return None


def find_intent(named: Path | None, root: Path) -> Path:
    """Return the topology file: by environment variable, else by the stack's configuration, else as the plan itself names it.

    Raises:
        IntentError: where none of them names a file.
    """
    if value := os.environ.get(VARIABLE):
        return root / value
    import pulumi  # noqa: PLC0415 # where there is a stack's configuration it is there already; who only lists the rules has no use for it

    if value := pulumi.Config("perimeter").get(CONFIG_KEY):
        return root / value
    if named is not None:
        return named
    raise IntentError(
        f"no topology: {VARIABLE} is not set, the stack's configuration has no perimeter:{CONFIG_KEY}, and no resource of type"
        f" {SYSTEM_TYPE} names one. Set one of them to the file's path, relative to {root}."
    )
