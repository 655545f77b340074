"""Whole-model laws: each a pure function that returns every way a topology breaks it."""

from collections.abc import Mapping
from itertools import chain

from topology.findings import Finding, TopologyError
from topology.laws import calls, clients, cors, data, doors, images, life, names, places, repetition, traffic, use
from topology.laws.cycles import cycles
from topology.laws.law import Law
from topology.laws.notes import notes
from topology.model.system import Topology

__all__ = ["LAWS", "Law", "admit", "broken", "cycles", "notes"]

LAWS_OF_PARTS: tuple[Law, ...] = (
    *names.LAWS,
    *places.LAWS,
    *calls.LAWS,
    *traffic.LAWS,
    *images.LAWS,
    *doors.LAWS,
    *clients.LAWS,
    *cors.LAWS,
    *life.LAWS,
    *data.LAWS,
    *repetition.LAWS,
)
"""Laws about what is written: what they find stays wrong whatever is added elsewhere."""

LAWS: tuple[Law, ...] = (*LAWS_OF_PARTS, *use.LAWS)
"""Every law, in the order a reader thinks of them."""

MEANT: Mapping[str, tuple[str, ...]] = {
    "services": ("is not a service",),
    "compositions": ("is not a service",),
    "meshes": ("is not a mesh",),
    "datacenters": ("is not a datacenter",),
    "issuers": ("is not an issuer",),
    "tiers": ("is not a tier",),
    "cors": ("is not a CORS policy",),
    "consumers": ("is not a tier",),
    "hosts": ("is not one of the system's hosts",),
    "apis": ("is not an API", "is not a version of {name}"),
}
"""What is said of a name that leads nowhere and may have meant something of a section."""


def broken(t: Topology) -> list[Finding]:
    """Return the findings of all laws."""
    found = {law: [*law(t)] for law in LAWS_OF_PARTS}
    unresolved = {finding.reason for finding in found[names.names_resolve]}
    # Where a name leads nowhere, what it was meant for seems unused, but the name is the mistake.
    return [*chain.from_iterable(found.values()), *(finding for law in use.LAWS for finding in law(t) if not _meant(finding) & unresolved)]


def _meant(finding: Finding) -> set[str]:
    if len(finding.path) == 1:
        return set()
    section, name = (str(part) for part in finding.path[:2])
    return {reason.format(name=name) for reason in MEANT[section]}


def admit(t: Topology) -> Topology:
    """Return the topology unchanged if it keeps every law.

    Raises:
        TopologyError: with the findings of all laws.
    """
    if found := broken(t):
        raise TopologyError(found)
    return t
