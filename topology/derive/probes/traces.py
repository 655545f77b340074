"""Traces: the first caller's proxy begins one, and every service further on is asked in it.

A probe sends no trace context of its own, so that nothing but the proxies can have made the one that arrives. Envoy sends the context
on whether or not a trace is sampled, each proxy with a span of its own (`source/extensions/tracers/opentelemetry/tracer.cc`); between
them the application copies the headers (istio.io, "Distributed Tracing": trace context propagation).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from topology.derive.probes.expectation import Traced
from topology.derive.probes.faults import may_fail
from topology.derive.probes.pair import Pair
from topology.derive.probes.probe import Family, Probe

NEXT_HEADER: Final = "x-echo-next"
"""Request header by which a backend that echoes calls another one: method and URL, `grpc://` for one over gRPC."""
SECONDS: Final = 10.0
"""Two calls take longer than one."""


def traces(pairs: Sequence[Pair]) -> Iterator[Probe]:
    """Yield the probes of calls between services that answer each call: every call, and every call that follows from one."""
    extended: set[str] = set()
    for first in pairs:
        onward = [second for second in pairs if second.caller == first.callee]
        if not onward:
            expect = Traced(way=(first.callee,))
            yield first.probe(Family.TRACES, "begun", expect, f"{first.caller}'s proxy begins a trace", seconds=SECONDS)
        # Each call onward once, after the first caller; after the others one, to see their proxies begin a trace, too.
        for second in onward if first.callee not in extended else onward[:1]:
            probe = first.probe(
                Family.TRACES,
                f"on to {second.callee}",
                Traced(way=(first.callee, second.callee)),
                f"a trace goes on from {first.caller} to {first.callee} to {second.callee}",
                headers=((NEXT_HEADER, second.request),),
                seconds=SECONDS,
            )
            yield replace(probe, may_fail=probe.may_fail or may_fail(second.t, second.caller, second.callee))
        extended.add(first.callee)
