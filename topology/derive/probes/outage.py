"""An issuer that is down: whoever came with a known key goes on."""

from collections.abc import Iterator
from dataclasses import replace

from topology.derive.probes.doors import entering, probe, requests_of
from topology.derive.probes.expectation import CachedKeys
from topology.derive.probes.probe import Family, Probe, Stage
from topology.model.door import JwtAuth
from topology.model.system import Topology


def outage(t: Topology) -> Iterator[Probe]:
    """Yield one door of each issuer."""
    seen: set[str] = set()
    for name, door in t.doors.items():
        if isinstance(door.auth, JwtAuth) and door.auth.jwt not in seen:
            seen.add(door.auth.jwt)
            asked = entering(t, name, requests_of(t, door)[0], "outage")
            why = f"keys are kept for {t.issuers[door.auth.jwt].key_cache}"
            found = probe(t, name, Family.OUTAGE, "cached keys", asked, CachedKeys(), why)
            yield replace(found, stage=Stage.DAMAGE)
