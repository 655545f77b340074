"""How many instances run of what a layer is made of, and where: one answer for edge, gateways and control planes."""

from collections.abc import Mapping
from typing import Any, Final

from topology.derive.workloads import SPREAD, spread_over

MOST_PER_LEAST: Final = 4
"""So many times the least number of instances run under load."""
CPU_TARGET: Final = 70
"""Mean CPU use, in percent of the request, that autoscalers aim at."""
BUDGET: Final[Mapping[str, Any]] = {"maxUnavailable": 1}
"""What a PodDisruptionBudget grants whoever drains nodes: one instance after the other, however many there are."""


def most(least: int) -> int:
    """Return how many instances run at most where `least` run at least."""
    return MOST_PER_LEAST * least


def spread(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the wish that the pods with these labels run in different zones, and there on different nodes."""
    return spread_over(SPREAD["zones"], labels)
