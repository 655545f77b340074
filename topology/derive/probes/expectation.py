"""The answers that a topology can make right."""

from dataclasses import dataclass

from topology.derive.probes.layer import Layer
from topology.derive.probes.pods import Pods
from topology.model.base import ServiceName


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """The service itself answers, whatever it says; of this version where one is named."""

    service: ServiceName = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Anybody answers at all, with this status where one is named: the place can ask."""

    status: int = 0


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One of these layers ends the request, by one of these statuses where some are named."""

    by: tuple[Layer, ...]
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contained:
    """Refused by any layer, or answered by the service, which then was asked for a path that is allowed."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Received:
    """What the service receives: these values, none of those headers, none of those values under any name."""

    equal: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    nowhere: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """Empty: any."""


@dataclass(frozen=True, kw_only=True)
class Preflighted:
    """A browser's preflight is answered before any service is asked.

    The origin that asks is told that its scripts may ask so, or, where `origin` is empty, nothing by which they might.
    """

    asking: str
    origin: str = ""
    """What `Access-Control-Allow-Origin` says."""
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 0


@dataclass(frozen=True, kw_only=True)
class Readable:
    """The service answers, and a browser learns that scripts of this origin may read it, or, where `origin` is empty, does not."""

    service: ServiceName
    asking: str
    origin: str = ""
    expose: tuple[str, ...] = ()
    credentials: bool = False
    refused: tuple[int, ...] = ()
    """Statuses by one of which a proxy refuses instead; empty: it does not."""
    outspoken: bool = False
    """The service says for itself whose scripts may read, and that it did; nothing of it arrives."""


@dataclass(frozen=True, kw_only=True)
class Limited:
    """So many requests pass, not all, and after some rest they pass again.

    `capacity` is the most that may pass at once, `refill` how many more each second.
    """

    least: int
    capacity: int
    refill: float
    rest: float
    """Seconds."""
    counted_by: Pods | None = None
    """Pods of which each counts for itself; None: one counter for all."""
    counters: int = 1
    """How many of them there were: whoever sends the requests says so."""
    window: float = 0.0
    """Seconds of a fixed window, counted from the clock's full minute: across its end twice as many may pass. 0: none."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Versions answer in these shares, in percent."""

    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Faulted:
    """This share of calls, in percent, fails with the status, or is held back for so many seconds."""

    percent: float
    status: int = 0
    delay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Spared:
    """None of the calls meets a fault that is meant for others, who meet it in so many percent of theirs: this status, this delay."""

    percent: float
    status: int = 0
    """0: it answers nothing."""
    delay: float = 0.0
    """Seconds; 0: it holds nothing back."""


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """The proxy answers instead of a service that is too slow, after so many seconds: when its last try has failed."""

    after: float


@dataclass(frozen=True, kw_only=True)
class Retried:
    """A call that fails is tried so many more times and not once more: then it is given up, or one of the tries succeeds."""

    attempts: int
    """Tries after the first one."""
    failures: int = 0
    """So many tries fail at each instance, fewer than there are in all; 0: every one."""
    asked: int
    """Requests afterwards, by which each instance says how many tries it saw."""


@dataclass(frozen=True, kw_only=True)
class Ejected:
    """Of so many instances that all fail, only so many are asked at last; after so many seconds the others are back."""

    instances: int
    left: int
    duration: float


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """The answer bears a request id of the system's own making, never the client's; layers' logs bear the same one."""

    forged: str
    trail: tuple[Pods, ...]


@dataclass(frozen=True, kw_only=True)
class Traced:
    """These services ask each other in one trace, which no application began, each asked in a span of its own."""

    way: tuple[ServiceName, ...]


@dataclass(frozen=True, kw_only=True)
class OwnTrace:
    """The service is asked in a trace, and that trace does not follow the client's."""

    forged: str
    """Trace id that the client sends."""


@dataclass(frozen=True, kw_only=True)
class Single:
    """At most one answer comes: one request was seen, or none."""


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """One of these layers refuses a malformed request or resets it; the well-formed one after it gets its own answer, not another's."""

    by: tuple[Layer, ...]
    statuses: tuple[int, ...]
    mended: bool = False
    """Or the service receives it once, without what was wrong about it."""


@dataclass(frozen=True, kw_only=True)
class Closed:
    """No port answers, but the public one."""


@dataclass(frozen=True, kw_only=True)
class CachedKeys:
    """While the issuer is down, tokens of known keys are admitted."""


Expectation = (
    Admitted | Answered | Refused | Contained | Received | Preflighted | Readable | Limited | Split | Faulted | Spared | GivenUp | Retried | Ejected | Renewed | Traced
    | OwnTrace | Single | Rejected | Closed | CachedKeys
)  # fmt: skip
