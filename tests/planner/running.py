"""The programs under `programs/`, each planned once a test session."""

from functools import cache
from pathlib import Path

import pytest

from planner.errors import PlanError
from planner.plan import Mode, Plan
from planner.program import plan_program
from planner.wire import UNKNOWN

HERE = Path(__file__).parent
KNOWN_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"[secret]"'}
UNKNOWN_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": f'"{UNKNOWN}"'}


@cache
def plan(case: str, stack: str = "dev", mode: Mode = Mode.PESSIMISTIC) -> Plan:
    return plan_program(HERE / "programs" / case, stack, mode=mode)


@cache
def by_name(case: str, stack: str = "dev", mode: Mode = Mode.PESSIMISTIC) -> dict[str, dict[str, object]]:
    return {resource["urn"].rpartition("::")[2]: resource for resource in plan(case, stack, mode).resources}


def findings(case: str, stack: str = "dev", config: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(PlanError) as caught:
        plan_program(HERE / "programs" / case, stack, config or {})
    return caught.value.findings
