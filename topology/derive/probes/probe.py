"""What a probe is: one question to a running system, put from one place, and the answer that the topology makes right."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from topology.derive.probes.expectation import Expectation
from topology.derive.probes.request import Request
from topology.derive.probes.target import Target
from topology.derive.probes.vantage import Vantage


class Family(StrEnum):
    """What a probe is about. A report counts by it."""

    CALLS = "calls"
    BRIDGES = "bridges"
    EGRESS = "egress"
    DOORS = "doors"
    TOKENS = "tokens"
    KEYS = "api-keys"
    TIERS = "tiers"
    BROWSERS = "browsers"
    FIREWALL = "firewall"
    HEADERS = "headers"
    SPELLINGS = "spellings"
    SMUGGLING = "smuggling"
    TLS = "tls"
    EXPOSURE = "exposure"
    NETWORK = "network"
    ENCRYPTION = "encryption"
    CERTIFICATES = "certificates"
    ADMIN = "admin-ports"
    ROUTING = "routing"
    FAULTS = "faults"
    RESILIENCE = "resilience"
    SERVICE_LIMITS = "service-limits"
    REQUEST_IDS = "request-ids"
    TRACES = "traces"
    OUTAGE = "issuer-outage"
    CONTROL = "controls"
    """Nothing about the boundary: whether a place can ask at all."""


class Stage(IntEnum):
    """Probes of one stage disturb nobody of the same stage; stages follow each other."""

    CONTROL = 0
    PLAIN = 1
    LOAD = 2
    """Uses up a budget."""
    DAMAGE = 3
    """Takes an instance or an issuer out for a while."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question and its right answer."""

    id: str
    family: Family
    vantage: Vantage
    target: Target
    request: Request
    expect: Expectation
    why: str
    """The edge or the law that it follows from."""
    controls: tuple[str, ...] = ()
    """Probes that must have passed, or a refusal means nothing: that the place can ask, and that the asked one can answer."""
    stage: Stage = Stage.PLAIN
    may_fail: bool = False
    """The topology lets some of these calls fail on purpose; anywhere else a fault is a mistake."""
