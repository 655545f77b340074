"""Faults that name callers: everybody else is spared.

A share of the calls says it: so many are made that, if the fault met them, those that it holds back would be many times more than a
machine under load holds back by itself. What is too seldom, too short, or not to be told from another fault, is not asked.
"""

import math
from collections.abc import Iterator
from typing import Final

from topology.derive.probes.calls import granted
from topology.derive.probes.expectation import Spared
from topology.derive.probes.faults import concerns, may_fail, may_wait
from topology.derive.probes.pair import ANSWERED, Pair
from topology.derive.probes.probe import Family, Probe
from topology.edges import Direction
from topology.model.base import ServiceName, seconds
from topology.model.service import Fault, Service
from topology.model.system import Topology

FEWEST: Final = 50
CLEARLY: Final = 10.0
"""Calls are so many that, if the fault met them, their number would be so many standard deviations from none."""
MOST: Final = 5000
"""Calls of one probe at most."""
SHORTEST: Final = 0.5
"""Delays that are shorter, in seconds, are those of any busy machine."""


def unnamed(pair: Pair, service: Service) -> Iterator[Probe]:
    """Yield the probes of the faults of a service that are not meant for this caller."""
    for number, fault in _others(service, pair.caller):
        expect, _ = _asked(pair.t, pair.caller, pair.callee, fault)
        if expect.status or expect.delay:
            why = f"only calls of {', '.join(fault.callers)} fail on purpose"
            count, patience = _count(fault.percent), 5.0 + expect.delay
            yield pair.probe(Family.FAULTS, f"unnamed-{number}", expect, why, count=count, seconds=patience)


def unasked(t: Topology) -> Iterator[tuple[str, str]]:
    """Yield what is not asked about faults: whose of whom, and why."""
    for name, service in t.services.items():
        if service.faults and service.protocol not in ANSWERED:
            yield f"faults of {name}", f"calls are asked about that have one answer each, and it speaks {service.protocol}"
    for caller, callee in granted(t, Direction.EAST_WEST):
        service = t.workload(callee)
        if isinstance(service, Service) and service.protocol in ANSWERED:
            for number, fault in _others(service, caller):
                for why in _asked(t, caller, callee, fault)[1]:
                    yield f"fault {number} of {callee}, which is not for {caller}", why


def _others(service: Service, caller: ServiceName) -> Iterator[tuple[int, Fault]]:
    return ((number, fault) for number, fault in enumerate(service.faults) if not concerns(fault, caller))


def _asked(t: Topology, caller: ServiceName, callee: ServiceName, fault: Fault) -> tuple[Spared, list[str]]:
    """Return what can be told of a fault, and why the rest of it cannot."""
    if _count(fault.percent) > MOST:
        return Spared(percent=fault.percent), [f"{fault.percent:g} % is too seldom to be told from never by {MOST} calls"]
    status, delay, reasons = fault.abort or 0, seconds(fault.delay) if fault.delay else 0.0, list[str]()
    if status and may_fail(t, caller, callee):
        status = 0
        reasons.append("another fault may make these calls fail")
    if delay and (short := delay < SHORTEST) | may_wait(t, caller, callee):
        reasons.append(f"{fault.delay} are no more than a busy machine's" if short else "another fault may hold these calls back")
        delay = 0.0
    return Spared(percent=fault.percent, status=status, delay=delay), reasons


def _count(percent: float) -> int:
    share = percent / 100
    return max(FEWEST, math.ceil(CLEARLY**2 * (1 - share) / share))
