"""Doors: who comes in, by which credential, and by which request not."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from topology.derive.probes import examples
from topology.derive.probes.credential import ApiKey, Carried, Credential, Flaw, Token
from topology.derive.probes.examples import Operation
from topology.derive.probes.expectation import Admitted, Expectation, Refused, Split
from topology.derive.probes.faults import may_fail
from topology.derive.probes.layer import FRONT, Layer
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import EDGE
from topology.derive.probes.vantage import OUTSIDE
from topology.model.base import HostName, Name
from topology.model.door import ApiKeyAuth, Door, JwtAuth
from topology.model.service import Protocol, Service
from topology.model.system import Topology

CREDENTIAL: Final = (401, 403)
NOT_HERE: Final = (400, 403, 404, 405, 421)
"""Statuses of a request that no door takes; 403 too, because a rule set may see it before."""
FEW: Final = 2
OTHER_ISSUER: Final = "https://issuer.perimeter-probe.example"
OTHER_AUDIENCE: Final = "perimeter-probe"

FLAWS: Final = tuple(
    flaw for flaw in Flaw if flaw not in {Flaw.NONE, Flaw.NO_CLAIM, Flaw.WRONG_CLAIM, Flaw.OTHER_TIER}
)  # those need something of the issuer
CARRIED: Final = tuple(carried for carried in Carried if carried is not Carried.USUAL)


def requests_of(t: Topology, door: Door) -> list[Operation]:
    """Return a door's operations, as the client asks."""
    return [Operation(method=method, pattern=path) for path in door.paths for method in door.methods]


def at_host(t: Topology, host: HostName) -> list[Operation]:
    """Return the operations of all doors of a host."""
    return [operation for door in t.doors.values() if t.host_of(door) == host for operation in requests_of(t, door)]


def valid(t: Topology, name: Name, door: Door, who: str) -> Credential:
    """Return a credential that opens a door. Each probe is a subject of its own, so that limits do not meet."""
    match door.auth:
        case JwtAuth(jwt=issuer_name):
            issuer = t.issuers[issuer_name]
            claims = {claim: values[0] for claim, values in issuer.required_claims.items()}
            if issuer.tier_claim and door.tiers:
                claims[issuer.tier_claim] = door.tiers[0]
            subject = f"probe-{name}-{who}"
            return Token(issuer=issuer.issuer, audience=issuer.audiences[0], subject=subject, claims=tuple(sorted(claims.items())))
        case ApiKeyAuth(api_key=tiers):
            return ApiKey(consumer=next((c for c, about in t.consumers.items() if about.tier in tiers), ""))
        case _:
            return None


def entering(t: Topology, name: Name, operation: Operation, who: str) -> Request:
    """Return the request of a client who may come in."""
    door = t.doors[name]
    plain = examples.request(_spoken(t, door), operation.method, examples.path_of(operation.pattern))
    return replace(
        plain,
        scheme=Scheme.GRPC if plain.scheme is Scheme.GRPC else Scheme.HTTPS,
        host=t.host_of(door),
        headers=(*plain.headers, *([version] if (version := t.version_header(door)) else [])),
        credential=valid(t, name, door, who),
        seconds=10.0,
    )


def entrance(name: Name, operation: Operation) -> str:
    """Return the id of the probe that a door lets in what it should."""
    return f"{Family.DOORS}/{name}/{operation.slug}"


def probe(  # noqa: PLR0913, PLR0917 # the parts of a probe
    t: Topology, name: Name, family: Family, what: str, request: Request, expect: Expectation, why: str, *, about: str = ""
) -> Probe:
    """Return a probe of a door from outside, held against the door's first request that is let in; `about` names it otherwise."""
    first = requests_of(t, t.doors[name])[0]
    return Probe(
        id=f"{family}/{about or name}/{what}",
        family=family,
        vantage=OUTSIDE,
        target=EDGE,
        request=request,
        expect=expect,
        why=why,
        controls=(entrance(name, first),),
        may_fail=may_fail(t, None, t.doors[name].service),
    )


def doors(t: Topology) -> Iterator[Probe]:
    """Yield the probes of every door."""
    for name, door in t.doors.items():
        operations = requests_of(t, door)
        for operation in operations:
            yield Probe(
                id=entrance(name, operation),
                family=Family.DOORS,
                vantage=OUTSIDE,
                target=EDGE,
                request=entering(t, name, operation, operation.slug),
                expect=Admitted(service=door.service, version=door.version or ""),
                why=f"door {name}: {operation.slug}",
                stage=Stage.CONTROL,
                may_fail=may_fail(t, None, door.service),
            )
        yield from _closed(t, name, door, operations)
        yield from _routed(t, name, door, operations)
        match door.auth:
            case JwtAuth():
                yield from _tokens(t, name, door, operations[0])
            case ApiKeyAuth():
                yield from _keys(t, name, door, operations[0])
            case _:
                pass


def _closed(t: Topology, name: Name, door: Door, operations: list[Operation]) -> Iterator[Probe]:
    """Yield requests that no door of the host takes, with a credential that would open this one."""
    host = at_host(t, t.host_of(door))
    for pattern in dict.fromkeys(operation.pattern for operation in operations):
        operation = next(operation for operation in operations if operation.pattern == pattern)
        asked = entering(t, name, operation, f"closed {pattern}")
        tried = [(operation.method, path) for path in islice(examples.near_misses(host, operation.method, pattern), FEW)]
        if method := examples.wrong_method(host, asked.path):
            tried.append((method, asked.path))
        tried.append(("TRACE", asked.path))
        for method, path in tried:
            # Without a body, which the edge would refuse first where no door says how long it may be.
            other = replace(asked, method=method, path=path, body="")
            yield probe(
                t, name, Family.DOORS, f"closed/{pattern}/{method} {path}", other, Refused(by=FRONT, statuses=NOT_HERE), "no door takes it"
            )
    if version := t.version_header(door):
        asked = entering(t, name, operations[0], "version")
        header = version[0]
        for what, value in (("none", None), ("unknown", "v999")):
            headers = tuple(pair for pair in asked.headers if pair[0] != header) + (((header, value),) if value else ())
            other = replace(asked, headers=headers)
            refused = Refused(by=FRONT, statuses=NOT_HERE)
            yield probe(t, name, Family.DOORS, f"version/{what}", other, refused, f"{header} selects the version of the API")


def _routed(t: Topology, name: Name, door: Door, operations: list[Operation]) -> Iterator[Probe]:
    """Yield the canary of the service behind a door; its weights are probed from inside where somebody calls it there."""
    service = t.workload(door.service)
    if not isinstance(service, Service) or door.version is not None or door.cache or service.protocol is not Protocol.HTTP:
        return
    if canary := service.canary:
        asked = entering(t, name, operations[0], "canary")
        pinned = replace(asked, headers=(*asked.headers, (canary.header, canary.value)), count=FEW, spread=True)
        why = f"{canary.header}: {canary.value} goes to {canary.version}"
        yield probe(t, name, Family.ROUTING, "canary", pinned, Admitted(service=door.service, version=canary.version), why)
    called = any(door.service in other.calls for other in t.services.values())
    if len(service.versions) > 1 and not called:
        shares = tuple((version, float(about.weight or 0)) for version, about in service.versions.items())
        asked = replace(entering(t, name, operations[0], "weights"), count=100, spread=True)
        yield probe(t, name, Family.ROUTING, "weights", asked, Split(shares=shares), "weights of the service behind the door")


def _tokens(t: Topology, name: Name, door: Door, operation: Operation) -> Iterator[Probe]:
    asked = entering(t, name, operation, "flaw")
    assert isinstance(asked.credential, Token)  # noqa: S101 # a JWT door's credential
    token, refused = asked.credential, Refused(by=(Layer.PROXY,), statuses=CREDENTIAL)
    yield probe(t, name, Family.TOKENS, "none", replace(asked, credential=None), refused, f"door {name} asks for a token")
    yield probe(t, name, Family.TOKENS, "key instead", replace(asked, credential=ApiKey()), refused, f"door {name} asks for a token")
    issuer = t.issuers[door.auth.jwt] if isinstance(door.auth, JwtAuth) else None
    flaws = list(FLAWS)
    if issuer and (issuer.required_claims or issuer.tier_claim):
        flaws += [Flaw.NO_CLAIM, Flaw.WRONG_CLAIM]
    others = [tier for tier in t.tiers if tier not in door.tiers]
    for flaw in flaws:
        bad = replace(token, flaw=flaw, subject=f"{token.subject} {flaw}")
        if flaw is Flaw.WRONG_ISSUER:
            bad = replace(bad, issuer=OTHER_ISSUER)
        if flaw is Flaw.WRONG_AUDIENCE:
            bad = replace(bad, audience=OTHER_AUDIENCE)
        yield probe(t, name, Family.TOKENS, flaw, replace(asked, credential=bad), refused, f"a token {flaw} opens nothing")
    if issuer and issuer.tier_claim and others:
        claims = tuple((claim, others[0] if claim == issuer.tier_claim else value) for claim, value in token.claims)
        bad = replace(token, claims=claims, flaw=Flaw.OTHER_TIER)
        yield probe(t, name, Family.TOKENS, Flaw.OTHER_TIER, replace(asked, credential=bad), refused, f"tier {others[0]} is not the door's")
    anywhere = Refused(by=FRONT, statuses=(400, *CREDENTIAL))
    for carried in CARRIED:
        moved = replace(token, carried=carried, subject=f"{token.subject} {carried}")
        yield probe(
            t, name, Family.TOKENS, f"carried {carried}", replace(asked, credential=moved), anywhere, f"a token {carried} is not read"
        )
    for other, about in t.issuers.items():
        if issuer and about.issuer != issuer.issuer:
            foreign = replace(token, issuer=about.issuer, audience=about.audiences[0])
            yield probe(
                t, name, Family.TOKENS, f"issuer {other}", replace(asked, credential=foreign), refused, f"{other} is not the door's issuer"
            )


def _keys(t: Topology, name: Name, door: Door, operation: Operation) -> Iterator[Probe]:
    asked = entering(t, name, operation, "keys")
    refused, why = Refused(by=(Layer.PROXY, Layer.EDGE), statuses=CREDENTIAL), f"door {name} asks for an API key"
    tiers = door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else ()
    for consumer, about in t.consumers.items():
        shown = replace(asked, credential=ApiKey(consumer=consumer))
        if about.tier in tiers:
            yield probe(
                t, name, Family.KEYS, f"consumer {consumer}", shown, Admitted(service=door.service), f"{consumer} is of tier {about.tier}"
            )
        else:
            yield probe(t, name, Family.KEYS, f"consumer {consumer}", shown, refused, f"tier {about.tier} has no part in door {name}")
    yield probe(t, name, Family.KEYS, "none", replace(asked, credential=None), refused, why)
    yield probe(t, name, Family.KEYS, "made up", replace(asked, credential=ApiKey()), refused, why)
    consumer = next((name_ for name_, about in t.consumers.items() if about.tier in tiers), "")
    anywhere = Refused(by=FRONT, statuses=(400, *CREDENTIAL))
    for carried in (Carried.QUERY, Carried.COOKIE, Carried.BASIC, Carried.TWICE):
        moved = ApiKey(consumer=consumer, carried=carried)
        yield probe(t, name, Family.KEYS, f"carried {carried}", replace(asked, credential=moved), anywhere, f"a key {carried} is not read")
    for issuer in t.issuers.values():
        token = Token(issuer=issuer.issuer, audience=issuer.audiences[0], subject=f"probe-{name}-token")
        yield probe(t, name, Family.KEYS, "token instead", replace(asked, credential=token), refused, why)
        break


def _spoken(t: Topology, door: Door) -> Protocol:
    return examples.protocol_of(t, door.service)
