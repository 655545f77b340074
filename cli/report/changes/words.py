"""What is said of each difference, whatever the format."""

from collections.abc import Iterator
from typing import Final

from cli.comparing import Comparison
from topology.changes import Change, Changed, Crossing, Kind
from topology.edges import ANY_METHOD, ANY_PATH, Direction
from topology.model.service import Protocol
from topology.terms import BY_WEIGHT, NOTHING, Width

SIGNS: Final = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}
NOUNS: Final = {Direction.NORTH_SOUTH: "door", Direction.EAST_WEST: "call", Direction.BRIDGE: "bridge", Direction.EGRESS: "egress"}
HEADINGS: Final = {Width.WIDER: "wider", Width.NEITHER: "neither wider nor narrower", Width.NARROWER: "narrower"}

_SAID_ELSEWHERE: Final = frozenset({"service", "keys"})
"""Terms of a new door that its line says, or its credential."""


def asked(crossing: Crossing) -> str:
    """Return methods, host and paths of a door, methods and paths of a call; nothing of what is told by its parties alone."""
    methods, paths = ",".join(crossing.methods), ", ".join(path for path in crossing.paths if path != ANY_PATH)
    if crossing.direction is Direction.NORTH_SOUTH:
        return f"{methods} {crossing.source} {paths}{f' ({crossing.version})' if crossing.version else ''}"
    return f"{methods.removeprefix(ANY_METHOD)} {paths}".strip()


def parties(crossing: Crossing) -> str:
    """Return who asks whom: of a door its service alone, for everybody may ask."""
    return crossing.target if crossing.direction is Direction.NORTH_SOUTH else f"{crossing.source} → {crossing.target}"


def spoken(change: Change) -> Iterator[tuple[str, str]]:
    """Yield the terms that are worth a line, each with its name: of what was changed both sides, of a new door what it asks for.

    Terms that went with another credential are not: the credential says so.
    """
    if change.kind is Kind.CHANGED:
        yield from ((term.name, turned(term)) for term in change.terms if term.new and (term.old or term.new != NOTHING))
    elif change.kind is Kind.ADDED and change.crossing.direction is Direction.NORTH_SOUTH:
        for term in change.crossing.terms:
            if term.name not in _SAID_ELSEWHERE and term.text not in {NOTHING, BY_WEIGHT, Protocol.HTTP}:
                yield term.name, term.text


def turned(term: Changed) -> str:
    """Return what a term was and is; of one that came with its credential what it is."""
    return f"{term.old} → {term.new}" if term.old else term.new


def verdict(compared: Comparison) -> str:
    """Return the word, in a line."""
    if not compared.changes:
        return "SAME      nothing crosses the boundary otherwise than before"
    if not compared.wider:
        return f"NO WIDER  {_differences(len(compared.changes))}, none lets more through"
    return f"WIDER     {len(compared.wider)} of {_differences(len(compared.changes))} let more through than before"


def _differences(count: int) -> str:
    return f"{count} difference{'' if count == 1 else 's'}"
