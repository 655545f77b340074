"""Spellings of a path: whatever is written, the service is never asked for a path that is not allowed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive.probes import examples
from topology.derive.probes.calls import allowed_id, granted, target_of
from topology.derive.probes.doors import at_host, entering, probe
from topology.derive.probes.entry import representatives
from topology.derive.probes.expectation import Contained
from topology.derive.probes.faults import may_fail
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.vantage import inside
from topology.edges import Direction, edges, identity
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.paths import stem

GOAL: Final = "admin"
"""What a client would like to ask for."""

TRICKS: Final = (
    "//{goal}", "{stem}../{goal}", "{stem}%2e%2e/{goal}", "{stem}%2E./{goal}", "{stem}..%2f{goal}", "{stem}..\\{goal}",
    "{stem}%5c..%5c{goal}", "/%2F{stem}%5c..%5C{goal}", "{stem}/../../{goal}", "/{goal}?x", "/{goal}#x", "{stem}x#/../{goal}",
    "/{goal}/", "/Admin", "/ADMIN", "/{goal};a=b", "/..;/{goal}", "/;/{goal}", "/%252e%252e/{goal}", "/%c0%ae%c0%ae/{goal}",
    "/%c0%af{goal}", "/.../{goal}", "/{goal}%00", "{stem}%2e%2e%2f{goal}", "{stem}.%2e/{goal}", "{stem}..;/{goal}",
    "{stem}x/..%00/{goal}", "{stem}./../{goal}", "{stem}%2f..%2f{goal}", "{stem}x/%2e%2e/%2e%2e/{goal}", "/./{goal}",
    "/%61dmin", "{stem}%252e%252e%252f{goal}", "{stem}%ef%bc%8f..%ef%bc%8f{goal}", "{stem}..%c0%af{goal}",
    "http://other.example/{goal}", "https://{host}/{goal}", "*", "{goal}", "{stem}..", "{stem}.", "{stem}%2e%2e",
)  # fmt: skip
"""`{stem}` is the part of an allowed path before what a client may choose."""

BYTES: Final = tuple(f"%{number:02x}" for number in range(1, 256))
"""Every byte but zero, escaped."""


def spellings(t: Topology) -> Iterator[Probe]:
    """Yield spellings at one door of each host, and between services at one edge of each callee."""
    for number, (host, name, operation) in enumerate(representatives(t)):
        patterns = tuple(sorted({other.pattern for other in at_host(t, host)} | _behind(t, t.doors[name].service)))
        root = _root(operation.pattern)
        for trick in TRICKS:
            path = trick.format(stem=root, goal=GOAL, host=host)
            asked = replace(entering(t, name, operation, f"path {trick}"), path=path)
            yield probe(t, name, Family.SPELLINGS, trick, asked, Contained(patterns=patterns), f"allowed are {', '.join(patterns)}")
        for byte in BYTES if number == 0 else ():
            asked = replace(entering(t, name, operation, f"byte {byte}"), path=f"{root}{byte}..{byte}{GOAL}")
            yield probe(
                t, name, Family.SPELLINGS, f"byte {byte}", asked, Contained(patterns=patterns), f"allowed are {', '.join(patterns)}"
            )
    yield from _inside(t)


def _inside(t: Topology) -> Iterator[Probe]:
    seen: set[str] = set()
    for (caller, callee), operations in granted(t, Direction.EAST_WEST).items():
        if callee in seen or examples.protocol_of(t, callee) is not Protocol.HTTP:
            continue
        seen.add(callee)
        operation = operations[0]
        patterns = tuple(sorted({each.pattern for each in operations if each.method == operation.method}))
        plain = examples.request(Protocol.HTTP, operation.method, examples.path_of(operation.pattern))
        for trick in TRICKS:
            path = trick.format(stem=_root(operation.pattern), goal=GOAL, host="other.example")
            if not path.startswith("/"):
                continue
            yield Probe(
                id=f"{Family.SPELLINGS}/{caller}->{callee}/{trick}",
                family=Family.SPELLINGS,
                vantage=inside(t, caller),
                target=target_of(t, caller, callee),
                request=replace(plain, path=path),
                expect=Contained(patterns=patterns),
                why=f"{caller} may ask {callee} for {', '.join(patterns)}",
                controls=(allowed_id(Direction.EAST_WEST, caller, callee, operation),),
                may_fail=may_fail(t, caller, callee),
            )


def _behind(t: Topology, service: str) -> set[str]:
    """Return the paths that a service may be asked for from outside, after rewrites."""
    return {edge.path for edge in edges(t) if edge.direction is Direction.NORTH_SOUTH and edge.target == identity(t, service)}


def _root(pattern: str) -> str:
    """Return the fixed beginning of a pattern, up to its last `/`."""
    fixed = stem(pattern).split("{", 1)[0]
    return fixed[: fixed.rindex("/") + 1]
