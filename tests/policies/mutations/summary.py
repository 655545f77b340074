"""The figure at the end of the test output: mutations caught and tried, for every system and family.

`tests/conftest.py` imports the hook: pytest asks only that file for it, also when tests run in several processes.
"""

from collections import defaultdict
from typing import Any

PROPERTY = "mutations"
"""The property of a test report that holds plan, family, caught and tried."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    figures: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                if name == PROPERTY:
                    plan, family, caught, tried = value
                    figures[plan][family] = (caught, tried)
    if not figures:
        return
    terminalreporter.section("mutations of real plans: caught / tried")
    total = [0, 0]
    for plan, families in sorted(figures.items()):
        caught, tried = (sum(figure[position] for figure in families.values()) for position in (0, 1))
        total = [total[0] + caught, total[1] + tried]
        each = ", ".join(f"{family} {figure[0]}/{figure[1]}" for family, figure in families.items())
        terminalreporter.write_line(f"{plan}: caught {caught} / tried {tried} ({each})")
    terminalreporter.write_line(f"all: caught {total[0]} / tried {total[1]}")
