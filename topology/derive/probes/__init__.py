"""What to ask a running system, derived from its topology: `probes` is the one way in.

The generators' documents are not read: a probe follows from the topology and its edges alone, so that it would notice a generator's
mistake as well as a hand that changed the running system.
"""

from collections.abc import Iterator

from topology.derive.probes import (
    administration,
    attacks,
    browsers,
    calls,
    certificates,
    doors,
    egress,
    encryption,
    headers,
    hops,
    http2,
    lengths,
    network,
    outage,
    places,
    retries,
    spellings,
    tiers,
    traffic,
    unnamed,
    wire,
)
from topology.derive.probes.credential import ApiKey, Carried, Certificate, Flaw, Token
from topology.derive.probes.expectation import (
    Admitted,
    Answered,
    CachedKeys,
    Closed,
    Contained,
    Ejected,
    Expectation,
    Faulted,
    GivenUp,
    Limited,
    OwnTrace,
    Preflighted,
    Readable,
    Received,
    Refused,
    Rejected,
    Renewed,
    Retried,
    Single,
    Spared,
    Split,
    Traced,
)
from topology.derive.probes.layer import REFUSALS, Layer
from topology.derive.probes.pods import Pods
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import At
from topology.derive.probes.tiers import spared
from topology.derive.probes.vantage import Place, Vantage
from topology.model.system import Topology

SOURCES = (
    calls.controls,
    places.controls,
    hops.controls,
    calls.calls,
    traffic.treatment,
    egress.egress,
    doors.doors,
    browsers.browsers,
    lengths.lengths,
    tiers.tiers,
    attacks.attacks,
    headers.headers,
    headers.requests,
    spellings.spellings,
    wire.smuggling,
    http2.malformed,
    wire.tls,
    network.network,
    encryption.encryption,
    certificates.certificates,
    administration.administration,
    outage.outage,
)
"""Where probes come from, in the order of a report."""


def probes(t: Topology) -> tuple[Probe, ...]:
    """Return every probe of a system."""
    return tuple(probe for source in SOURCES for probe in source(t))


def unasked(t: Topology) -> Iterator[tuple[Family, str, str]]:
    """Yield what a system has and no probe asks about: the kind of probe, what it is, and why."""
    yield from ((Family.TIERS, f"tier {name}", why) for name, why in tiers.spared(t))
    yield from ((Family.FAULTS, what, why) for what, why in unnamed.unasked(t))
    yield from ((Family.RESILIENCE, f"retries of {name}", why) for name, why in retries.unproved(t))


__all__ = [
    "REFUSALS",
    "Admitted",
    "Answered",
    "ApiKey",
    "At",
    "CachedKeys",
    "Carried",
    "Certificate",
    "Closed",
    "Contained",
    "Ejected",
    "Expectation",
    "Family",
    "Faulted",
    "Flaw",
    "GivenUp",
    "Layer",
    "Limited",
    "OwnTrace",
    "Place",
    "Pods",
    "Preflighted",
    "Probe",
    "Readable",
    "Received",
    "Refused",
    "Rejected",
    "Renewed",
    "Request",
    "Retried",
    "Scheme",
    "Single",
    "Spared",
    "Split",
    "Stage",
    "Token",
    "Traced",
    "Vantage",
    "probes",
    "spared",
    "unasked",
]
