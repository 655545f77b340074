"""Whole-model laws: each a pure function that returns every way a topology breaks it."""

from topology.findings import TopologyError, nearest
from topology.laws import calls, clients, data, doors, life, names, places, repetition, traffic, use
from topology.laws.cycles import cycles
from topology.laws.law import Law
from topology.laws.notes import notes
from topology.model.system import Topology

__all__ = ["LAWS", "LAWS_OF_PARTS", "Law", "admit", "cycles", "notes"]

LAWS_OF_PARTS: tuple[Law, ...] = (
    *names.LAWS,
    *places.LAWS,
    *calls.LAWS,
    *traffic.LAWS,
    *doors.LAWS,
    *clients.LAWS,
    *life.LAWS,
    *data.LAWS,
    *repetition.LAWS,
)
"""Laws about what is written: what they find stays wrong whatever is added elsewhere."""

LAWS: tuple[Law, ...] = (*LAWS_OF_PARTS, *use.LAWS)
"""Every law, in the order a reader thinks of them."""


def admit(t: Topology) -> Topology:
    """Return the topology unchanged if it keeps every law.

    Raises:
        TopologyError: with the findings of all laws.
    """
    found = [finding for law in LAWS_OF_PARTS for finding in law(t)]
    unresolved = [str(finding.given) for finding in names.names_resolve(t)]
    for law in use.LAWS:
        # Where a name was misspelled, what it was meant for seems unused, but the misspelling is the mistake.
        found += [finding for finding in law(t) if not any(nearest(name, [str(finding.path[-1])]) for name in unresolved)]
    if found:
        raise TopologyError(found)
    return t
