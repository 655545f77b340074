"""Who plays the layers of a stack, as its plan says: a word for people, by which nothing is judged."""

from dataclasses import dataclass
from typing import Final

from cli.judging import Judged
from policies.intent import SYSTEM_TYPE
from policies.reading.values import UnknownValueError, mapping, sequence

SAID: Final = {"existing": "existing cluster"}
"""Players whose names say too little by themselves."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where a system runs."""

    ways: tuple[tuple[str, ...], ...] = ()
    """Edge, gateway and cluster of each way into the system, outside in; empty where the plan does not say."""
    size: str = ""
    """Of the environment of a cloud."""

    def lines(self) -> list[str]:
        """Return each way as people read it: `application-gateway → api-management → aks · production`."""
        size = f" · {self.size}" if self.size else ""
        return [" → ".join(SAID.get(player, player) for player in way) + size for way in self.ways]


def environment(judged: Judged) -> Environment:
    """Return what the top component of a plan says of itself; nothing where that cannot be read."""
    try:
        for system in judged.stack.of(SYSTEM_TYPE):
            said = mapping(system.props.get("environment"))
            ways = tuple(tuple(map(str, sequence(way))) for way in sequence(said.get("ways")))
            return Environment(ways=ways, size=str(said.get("size") or ""))
    except UnknownValueError:
        pass
    return Environment()
