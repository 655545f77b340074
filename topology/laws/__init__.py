"""Whole-model laws: each a pure function that returns every way a topology breaks it."""

from topology.findings import TopologyError
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
    if found := [finding for law in LAWS for finding in law(t)]:
        raise TopologyError(found)
    return t
