"""Who can be asked about: services, clients outside, whoever is in the cluster, outside hosts; and what other names are instead."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from policies.reading.accepted import ANYONE
from topology.edges import INTERNET, identity
from topology.findings import did_you_mean
from topology.model.system import Topology

OUTSIDE: Final = frozenset({INTERNET, ANYONE})
"""Parties that only ask."""


class PartyError(ValueError):
    """A name that nobody can be asked about by; the message says what it is, or which there are."""


_INSTEAD: Final[tuple[tuple[Callable[[Topology], Mapping[str, Any]], str, Callable[[Any], str]], ...]] = (
    (lambda t: t.consumers, "a consumer", lambda _: f"consumers come from outside like every client: ask from {INTERNET}"),
    (lambda t: t.doors, "a door", lambda door: f"ask from {INTERNET} to its service, {door.service}"),
    (lambda t: t.egress, "a way out", lambda exit_: f"ask about its host, {exit_.host}"),
    (lambda t: t.bridges, "a bridge", lambda bridge: f"ask from {bridge.source} to {bridge.target}"),
    (lambda t: t.issuers, "an issuer", lambda _: f"whoever has its token comes from outside: ask from {INTERNET}"),
    (lambda t: t.tiers, "a tier", lambda _: f"its clients come from outside: ask from {INTERNET}"),
    (lambda t: t.meshes, "a mesh", lambda _: "ask about a service of it"),
)
"""What else a topology gives names to, in words, and what to ask instead."""


def party(t: Topology, name: str) -> str:
    """Return a party as edges spell it: an identity, `internet`, `anyone`, or an outside host.

    Raises:
        PartyError: for a name that is none of these.
    """
    if name in OUTSIDE:
        return name
    if name in t.services or name in t.compositions:
        return identity(t, name)
    if "." in name or "/" in name:
        return name
    for section, what, instead in _INSTEAD:
        if name in section(t):
            raise PartyError(f'"{name}" is {what} of {t.system}; {instead(section(t)[name])}.')
    meant = did_you_mean(name, (*t.services, *t.compositions, *OUTSIDE))
    raise PartyError(
        f'"{name}" is nobody to ask about ({meant}). Ask about a service of {t.system}, {INTERNET}, {ANYONE} or an outside host.'
    )


def stranger(t: Topology, name: str) -> str:
    """Return what a host or identity is that no way of the topology ends at, and what may have been meant; nothing of one that it names."""
    if name in t.public_hosts():
        return f"{name} is a public host: ask about the service behind one of its doors"
    known = (
        {exit_.host for exit_ in t.egress.values()} if "/" not in name else {identity(t, each) for each in (*t.services, *t.compositions)}
    )
    if name in OUTSIDE or name in known or not ("." in name or "/" in name):
        return ""
    return f"the topology names no {'identity' if '/' in name else 'outside host'} {name} ({did_you_mean(name, known)})"
