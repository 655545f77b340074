"""Whether what came back is what the topology makes right."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast
from urllib.parse import unquote

from conformance.answer import Answer, Echo
from conformance.browsers import OK, ORIGIN, wrong_for_a_reader, wrong_in_a_preflight
from conformance.signatures import EDGES, layer_of
from topology.derive import names
from topology.derive.probes import (
    REFUSALS,
    Admitted,
    Answered,
    CachedKeys,
    Closed,
    Contained,
    Ejected,
    Expectation,
    Faulted,
    GivenUp,
    Layer,
    Limited,
    OwnTrace,
    Place,
    Preflighted,
    Probe,
    Readable,
    Received,
    Refused,
    Rejected,
    Renewed,
    Retried,
    Scheme,
    Single,
    Spared,
    Split,
    Traced,
)
from topology.derive.probes.examples import matches
from topology.derive.probes.layer import FRONT
from topology.derive.probes.request import SMUGGLED_MARK
from topology.derive.probes.traffic import ENOUGH

UNREACHED: Final = frozenset({Layer.NETWORK, Layer.TRANSPORT})
AT_HOME: Final = frozenset({Layer.OWN_PROXY, Layer.TRANSPORT})
CAPTURED: Final = frozenset({Place.POD, Place.MEMBER})
REFUSED: Final = frozenset(REFUSALS)
SLACK: Final = 1.2
"""A limit is kept if no more than this many times the allowed number pass: clocks of both sides differ."""
SIGMAS: Final = 4.0
"""A share is kept if it lies within so many standard deviations: one in sixteen thousand lies outside by chance."""
LATE: Final = 2.5
"""Seconds by which a proxy may be late."""
EARLY: Final = 0.7
"""A proxy that gives up before this share of the time has not tried as often as it should."""
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TOO_MANY: Final = 429
NO_ECHO: Final = "the service does not say what it received"
TRACE_CONTEXT: Final = "traceparent"
TRACEPARENT: Final = re.compile(r"00-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-[0-9a-f]{2}")
"""W3C, Trace Context, 3.2: version, trace id, id of the parent's span, flags."""
UNTRACED: Final = "no proxy traces: the stack names no collector, or tracing is off"
TOO_SLOW: Final = "no client here is fast enough to meet the limit, or another one came first"
COUNTED: Final = 0.95
"""Share of the answers that must say which version gave them, or their shares mean nothing."""
SILENT: Final = frozenset({Layer.SERVICE, Layer.LIMIT, Layer.UNKNOWN})
"""Layers whose answers without an echo are nobody's refusal."""


class Verdict(StrEnum):
    """What a probe says."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"
    """Nothing was learned, for the reason that is given."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict and what was seen."""

    verdict: Verdict
    said: str


def judge(probe: Probe, answers: Sequence[Answer]) -> Judgement:
    """Return what the answers to a probe say. Answers that come later, such as those after a rest, are told apart by their order."""
    if any(answer.unread for answer in answers):
        return _not_run(
            "curl does not say all headers of each answer: 7.84 or later does, and 8.0 even where a name stands on several lines"
        )
    if not probe.may_fail:
        for met in (one for answer in answers for one in answer.way()):
            if layer(probe, met) is Layer.FAULT:
                return _failed(f"the topology lets nothing fail here on purpose ({describe(probe, met)})")
    return JUDGES[type(probe.expect)](probe, probe.expect, answers)


def seen_from_outside(probe: Probe) -> bool:
    """Say whether answers come through the public address."""
    return probe.vantage.place is Place.OUTSIDE or (probe.target.name == names.fqdn(names.EDGE, names.EDGE_NAMESPACE))


def layer(probe: Probe, answer: Answer) -> Layer:
    """Return who answered a probe."""
    if answer.silent and probe.vantage.place in CAPTURED and probe.request.scheme is not Scheme.TCP:
        return Layer.UPSTREAM  # the sidecar took the request and waits for somebody
    if probe.request.scheme is Scheme.TCP and (answer.status or answer.silent):
        return Layer.SERVICE  # bytes came, or the connection was kept
    return layer_of(answer, outside=seen_from_outside(probe))


def describe(probe: Probe, answer: Answer) -> str:
    """Return an answer in words."""
    who = layer(probe, answer)
    if not answer.status:
        return f"{who}: {answer.error or ('no answer' if answer.connected else 'no connection')}"
    status = f"gRPC {answer.header('grpc-status')}" if answer.header("grpc-status") else str(answer.status)
    text = answer.header("grpc-message") or " ".join(re.sub(r"<[^>]*>", " ", answer.body).split())
    return f"{who}: {status} {text[:60]}".strip()


def _passed(said: str) -> Judgement:
    return Judgement(verdict=Verdict.PASSED, said=said)


def _failed(said: str) -> Judgement:
    return Judgement(verdict=Verdict.FAILED, said=said)


def _not_run(said: str) -> Judgement:
    return Judgement(verdict=Verdict.NOT_RUN, said=said)


def _admitted(probe: Probe, expect: Admitted, answers: Sequence[Answer]) -> Judgement:
    for answer in answers:
        who, said = layer(probe, answer), describe(probe, answer)
        if probe.request.scheme is Scheme.TCP and who is Layer.TRANSPORT:
            return _not_run("the connection was closed without a word, by a refusal or by a service that waited for other bytes")
        if who is Layer.UPSTREAM and not expect.service:
            return _not_run(f"the host does not answer ({said})")
        if who in {Layer.UNKNOWN, Layer.LIMIT, Layer.FAULT}:
            return _not_run(f"nobody can tell who answered, or it was not this probe that was refused ({said})")
        if who is not Layer.SERVICE:
            return _failed(said)
        if expect.version:
            echo = answer.echo()
            if echo is None:
                return _not_run("the service does not say which version answers")
            if not is_version(echo, expect.service, expect.version):
                return _failed(f"{echo.instance} answers, not {expect.version}")
    return _passed(describe(probe, answers[-1]))


def _answered(probe: Probe, expect: Answered, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    right = answer.status == expect.status if expect.status else bool(answer.status) or answer.connected
    return (_passed if right else _failed)(describe(probe, answer))


def _refused(probe: Probe, expect: Refused, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    who, said = layer(probe, answer), describe(probe, answer)
    if who in expect.by:
        wanted = not expect.statuses or not answer.status or _status(answer) in expect.statuses
        return _passed(said) if wanted else _failed(f"refused, but by another status: {said}")
    if who in {Layer.SERVICE, Layer.UPSTREAM}:
        return _failed(f"let through to the {who} ({said})")
    if UNREACHED.issuperset(expect.by) and (answer.status or who is Layer.TRANSPORT):
        return _failed(f"it should not even be answered ({said})" if answer.status else f"a connection came about ({said})")
    if who is Layer.NETWORK and AT_HOME.issuperset(expect.by):
        return _failed(f"the caller's own sidecar let it pass ({said})")
    return _not_run(f"something else was in the way first ({said})")


def _status(answer: Answer) -> int:
    """Return the HTTP status; that of a refusal in gRPC as HTTP would say it."""
    return {"7": 403, "16": 401, "12": 404}.get(answer.header("grpc-status"), answer.status)


def _contained(probe: Probe, expect: Contained, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    who, said = layer(probe, answer), describe(probe, answer)
    if who in REFUSED:
        return _passed(said)
    if who is not Layer.SERVICE:
        return _not_run(f"something else was in the way first ({said})")
    echo = answer.echo()
    if echo is None:
        return _not_run("the service does not say which path it was asked for")
    asked = echo.path.split("?", 1)[0]
    allowed = all(any(matches(pattern, path) for pattern in expect.patterns) for path in (asked, interpreted(asked)))
    return (_passed if allowed else _failed)(f"the service was asked for {echo.path}")


def interpreted(path: str) -> str:
    """Return the path that a lenient server would make of a spelling: escapes and backslashes read, dot segments gone."""
    segments: list[str] = []
    parts = re.sub(r"/+", "/", unquote(path).replace("\\", "/")).split("/")[1:]
    for part in parts:
        if part == "..":
            segments[-1:] = []
        elif part != ".":
            segments.append(part)
    return "/" + "/".join(segments) + ("/" if parts and parts[-1] in {".", ".."} and segments else "")


def _received(probe: Probe, expect: Received, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    who, said = layer(probe, answer), describe(probe, answer)
    if who in REFUSED:
        return _passed(f"refused by {said}") if expect.nowhere or not expect.equal else _failed(said)
    echo = answer.echo()
    if who is not Layer.SERVICE or echo is None:
        return _not_run(NO_ECHO if who is Layer.SERVICE else f"something else was in the way first ({said})")
    wrong = [f"{name} is {echo.values(name) or 'absent'}, not {value}" for name, value in expect.equal if echo.values(name) != [value]]
    wrong += [f"{name} arrives: {echo.values(name)}" for name in expect.absent if any(echo.values(name))]
    wrong += [f"{name} says {value}" for name, value in echo.headers for text in expect.nowhere if text in value]
    return _failed("; ".join(wrong)) if wrong else _passed("as it should")


def _preflighted(probe: Probe, expect: Preflighted, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    who, said = layer(probe, answer), describe(probe, answer)
    if not answer.status or who in {Layer.LIMIT, Layer.FAULT}:
        return _not_run(f"something else was in the way first ({said})")
    if answer.echo() is not None or (answer.status in OK and not answer.empty):
        return _failed(f"a preflight reached a service ({said})")
    found = list(wrong_in_a_preflight(expect, answer))
    return _failed("; ".join(found)) if found else _passed(f"{answer.status}, {answer.header(ORIGIN) or 'no origin'}")


def _readable(probe: Probe, expect: Readable, answers: Sequence[Answer]) -> Judgement:
    refused = Refused(by=(Layer.PROXY,), statuses=expect.refused)
    came = _refused(probe, refused, answers) if expect.refused else _admitted(probe, Admitted(service=expect.service), answers)
    if came.verdict is not Verdict.PASSED:
        return came
    echo = answers[-1].echo()
    if expect.outspoken and not (echo and echo.said):
        return _not_run("the service does not say that it spoke to browsers itself")
    found = list(wrong_for_a_reader(expect, answers[-1]))
    return _failed("; ".join(found)) if found else _passed(f"{came.said}, {answers[-1].header(ORIGIN) or 'no origin'}")


def _limited(probe: Probe, expect: Limited, answers: Sequence[Answer]) -> Judgement:
    """The last answer is the one after the rest."""
    *burst, rested = answers
    who = Counter(layer(probe, answer) for answer in burst)
    passed, stopped, elapsed = who[Layer.SERVICE], who[Layer.LIMIT], rested.seconds
    if probe.request.credential is None and seen_from_outside(probe):
        # At a public door a client is an address, and the edge counts addresses too.
        stopped += sum(answer.status == TOO_MANY and layer(probe, answer) is Layer.EDGE for answer in burst)
    said = f"{passed} of {len(burst)} passed in {elapsed:.1f} s, {stopped} were limited"
    said += f", counted by each of {expect.counters} pods" if expect.counters > 1 else ""
    allowed = (expect.capacity + expect.refill * elapsed) * expect.counters
    if passed > allowed * SLACK + 1:
        return _failed(f"{said}; at most {allowed:.0f} should pass")
    if not stopped:
        return _not_run(f"{said}: {TOO_SLOW} ({_tally(who)})")
    if passed < expect.least / 2:
        return _failed(f"{said}; {expect.least} should pass ({_tally(who)})")
    if layer(probe, rested) is not Layer.SERVICE:
        return _failed(f"{said}; after {expect.rest:.0f} s of rest: {describe(probe, rested)}")
    return _passed(f"{said}; after a rest they pass again")


def _tally(who: Counter[Layer]) -> str:
    return ", ".join(f"{count} {name}" for name, count in who.most_common())


def _split(probe: Probe, expect: Split, answers: Sequence[Answer]) -> Judgement:
    """Calls that fail on purpose reach no version, so they are not counted."""
    by_layer = [(layer(probe, answer), answer.echo()) for answer in answers]
    reached = [(who, echo) for who, echo in by_layer if who is not Layer.FAULT]
    echoes = [echo for _, echo in reached if echo is not None]
    if not echoes or len(echoes) < COUNTED * len(reached):
        others = Counter(who for who, echo in reached if echo is None)
        said = f"{len(echoes)} of {len(answers)} answers say which version gave them; the others: {_tally(others)}"
        return _not_run(said) if SILENT.issuperset(others) else _failed(said)
    service = _service_of(probe)
    found = {version: sum(is_version(echo, service, version) for echo in echoes) for version, _ in expect.shares}
    said = ", ".join(f"{version} {count} of {len(echoes)}" for version, count in found.items())
    right = all(_near(found[version], len(echoes), percent) for version, percent in expect.shares)
    return (_passed if right else _failed)(said)


def _near(count: int, total: int, percent: float) -> bool:
    share = percent / 100
    return abs(count - total * share) <= SIGMAS * math.sqrt(total * share * (1 - share))


def _service_of(probe: Probe) -> str:
    """Return the service that a probe of versions asks: by its name inside, by the control's door outside."""
    return probe.target.name.split(".")[0]


def is_version(echo: Echo, service: str, version: str) -> bool:
    """Say whether an instance is of a version, by the name of its pod: that of its Deployment and two generated parts."""
    deployment = f"{service}-{version.replace('.', '-')}" if service else f"-{version.replace('.', '-')}"
    return echo.instance.startswith(f"{deployment}-") if service else f"{deployment}-" in echo.instance


def _faulted(probe: Probe, expect: Faulted, answers: Sequence[Answer]) -> Judgement:
    if expect.status:
        count = sum(layer(probe, answer) is Layer.FAULT for answer in answers)
        said = f"{count} of {len(answers)} failed on purpose"
    else:
        count = sum(answer.seconds >= expect.delay for answer in answers)
        said = f"{count} of {len(answers)} were held back"
    return (_passed if _near(count, len(answers), expect.percent) else _failed)(said)


def _spared(probe: Probe, expect: Spared, answers: Sequence[Answer]) -> Judgement:
    """No call is aborted so, and of slow ones there are fewer than the fault would make, whatever else holds some of them back."""
    who = [layer(probe, answer) for answer in answers]
    slow = [bool(expect.delay) and answer.seconds >= expect.delay for answer in answers]
    told = sum(late or by in {Layer.SERVICE, Layer.FAULT} for by, late in zip(who, slow, strict=True))
    # No other fault can be meant where this one's status is asked about; gRPC has one status for several of HTTP.
    failed = who.count(Layer.FAULT) if expect.status else 0
    share = expect.percent / 100
    least = told * share - SIGMAS * math.sqrt(told * share * (1 - share))
    said = f"of {told} calls, {failed} failed on purpose"
    said += f", {sum(slow)} took {expect.delay:g} s or longer" if expect.delay else ""
    if not failed and least <= 0:
        return _not_run(f"{said}: too few to tell ({_tally(Counter(who))})")
    return (_failed if failed or sum(slow) >= least else _passed)(said)


def _given_up(probe: Probe, expect: GivenUp, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    said = f"{describe(probe, answer)} after {answer.seconds:.1f} s"
    if layer(probe, answer) is Layer.UPSTREAM and answer.seconds <= expect.after + LATE:
        return _passed(said) if answer.seconds >= expect.after * EARLY else _failed(f"{said}, too early: not every try was made")
    if answer.seconds < expect.after:
        return _not_run("the service cannot be made slow")
    return _failed(said)


def _retried(probe: Probe, expect: Retried, answers: Sequence[Answer]) -> Judgement:
    """The first answer is the last try's; the others say how many tries their instances saw."""
    first, *others = answers
    echo = first.echo()
    if layer(probe, first) is not Layer.SERVICE or echo is None:
        return _not_run(f"the service cannot be made to fail ({describe(probe, first)})")
    if not echo.tries:
        return _not_run("the service does not say how often it was tried")
    seen: Counter[str] = Counter()
    for one in (found for answer in answers if (found := answer.echo())):
        seen[one.instance] = max(seen[one.instance], one.tries)
    tries, most = seen.total(), expect.attempts + 1
    said = f"{tries} tries, the last of them {'failed' if echo.failed else 'succeeded'}"
    if tries > most:
        return _failed(f"{said}; there should be at most {most}")
    mute = sum(answer.echo() is None for answer in others)
    if tries < (expect.failures + 1 if expect.failures else most):
        return (
            _not_run(f"{said}, but {mute} of {len(others)} answers do not count theirs")
            if mute
            else _failed(f"{said}; {most} should be made")
        )
    return _passed(said) if echo.failed is not bool(expect.failures) else _failed(said)


def _ejected(probe: Probe, expect: Ejected, answers: Sequence[Answer]) -> Judgement:
    """The last answer is the one after the others should be back."""
    *failing, back = answers
    if failing[0].echo() is None or not (failing[0].status == 503 or failing[0].header("grpc-status") == "2"):
        return _not_run("the service cannot be made to fail")
    before, after = (_instances(part) for part in (failing[: len(failing) // 2], failing[-ENOUGH * expect.instances :]))
    said = f"{len(before)} of {expect.instances} instances were asked, at last {len(after)}"
    if len(before) <= expect.left:
        return _not_run(f"{said}: too few to see one go")
    if not after:
        return _failed(f"{said}; {expect.left} should be left")
    if len(after) > expect.left:
        return _failed(f"{said}; {expect.left} should be left")
    if layer(probe, back) is not Layer.SERVICE:
        return _failed(f"{said}; not back after {expect.duration:.0f} s: {describe(probe, back)}")
    return _passed(said)


def _instances(answers: Sequence[Answer]) -> set[str]:
    return {echo.instance for answer in answers if (echo := answer.echo())}


def written(identifier: str) -> re.Pattern[str]:
    """Return how a proxy may write a request's id: of a traced request, Envoy puts the reason into the digit of the UUID's version.

    4 is no trace, 9 a sample, a and b a trace that was asked for: `pack_trace_reason` of
    https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/request_id/uuid/v3/uuid.proto, which Istio leaves as it is.
    """
    return re.compile(f"{re.escape(identifier[:14])}[49ab]{re.escape(identifier[15:])}")


def _renewed(probe: Probe, expect: Renewed, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    found = answer.header(names.REQUEST_ID_HEADER)
    if layer(probe, answer) is not Layer.SERVICE:
        return _not_run(f"something else was in the way first ({describe(probe, answer)})")
    if found == expect.forged:
        return _failed("the client's own id was kept")
    if not UUID.fullmatch(found):
        return _failed(f"the answer's id is {found!r}, not a UUID of version 4")
    echo = answer.echo()
    received = echo.values(names.REQUEST_ID_HEADER) if echo is not None else [found]
    if len(received) != 1 or not written(found).fullmatch(received[0]):
        return _failed(f"the answer says {found}, the service received {received}")
    return _passed(found)


def _traced(probe: Probe, expect: Traced, answers: Sequence[Answer]) -> Judgement:
    """Without a proxy that traces, what the first service copies on says nothing; from then on each hop has a span of its own."""
    answer: Answer | None = answers[-1]
    contexts: list[tuple[str, str]] = []
    for service in expect.way:
        if answer is None:
            return _not_run(f"{service} was not asked: the service before it does not call on when it is told to")
        echo = answer.echo()
        if layer(probe, answer) is not Layer.SERVICE or echo is None:
            return _not_run(f"{service} does not say what it received ({describe(probe, answer)})")
        found = echo.values(TRACE_CONTEXT)
        if not found and not contexts:
            return _not_run(UNTRACED)
        context = TRACEPARENT.fullmatch(found[0]) if len(found) == 1 else None
        if context is None:
            return _failed(f"{service} is asked with traceparent {', '.join(found) or 'absent'}")
        contexts.append((context["trace"], context["span"]))
        answer = echo.onward
    said = "; ".join(f"{service}: trace {trace}, span {span}" for service, (trace, span) in zip(expect.way, contexts, strict=True))
    one_trace, own_spans = len({trace for trace, _ in contexts}) == 1, len({span for _, span in contexts}) == len(contexts)
    if not one_trace:
        return _failed(f"another trace begins on the way: {said}")
    return _passed(said) if own_spans else _failed(f"no proxy between them made a span: {said}")


def _own_trace(probe: Probe, expect: OwnTrace, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    echo = answer.echo()
    if layer(probe, answer) is not Layer.SERVICE or echo is None:
        return _not_run(NO_ECHO)
    found = echo.values(TRACE_CONTEXT)
    if not found:
        return _not_run(UNTRACED)
    own = len(found) == 1 and TRACEPARENT.fullmatch(found[0]) is not None and expect.forged not in found[0]
    return (_passed if own else _failed)(f"traceparent: {', '.join(found)}")


def _single(_probe: Probe, _expect: Single, answers: Sequence[Answer]) -> Judgement:
    answer = answers[-1]
    later = [text for text in re.split(r"HTTP/1\.[01] (?=\d{3} )", answer.body)[2:] if not any(edge in text for edge in EDGES)]
    if later:
        return _failed(f"a second request was answered behind the edge: {later[0][:60]!r}")
    return _passed(
        f"{answer.answers} answers, all of the edge but the first" if answer.answers > 1 else f"one answer, {answer.status or 'none'}"
    )


def _rejected(probe: Probe, expect: Rejected, answers: Sequence[Answer]) -> Judgement:
    """The first answer is that to the malformed request, the second that to the well-formed one after it."""
    answer, after = answers[0], answers[-1]
    who, said = layer(probe, answer), describe(probe, answer)
    next_, met = layer(probe, after), describe(probe, after)
    if who is Layer.SERVICE and not expect.mended:
        return _failed(f"let through to the service ({said})")
    if SMUGGLED_MARK in after.body:
        return _failed(f"the next request got the answer to another one ({met})")
    if next_ in FRONT:
        return _failed(f"the next request, which is well-formed, got another answer than it should: {met}")
    if next_ is not Layer.SERVICE:
        return _not_run(f"the well-formed request after it was not answered ({met})")
    if who is Layer.SERVICE:
        return _mended(said, answer.echo())
    if who not in expect.by or answer.silent or answer.status == TOO_MANY:
        return _not_run(f"neither refused nor let through ({said})")
    if answer.status and answer.status not in expect.statuses:
        return _failed(f"refused, but not as malformed: {said}")
    return _passed(said)


def _mended(said: str, echo: Echo | None) -> Judgement:
    """Judge a malformed request that a service answered, which is right where what was wrong about it did not arrive."""
    if echo is None:
        return _not_run(NO_ECHO)
    arrived = [text for text in (echo.path, *(f"{name}: {value}" for name, value in echo.headers)) if SMUGGLED_MARK in text]
    if arrived:
        return _failed(f"what is wrong about it reached the service: {'; '.join(arrived)}")
    return _passed(f"mended: {said}")


def _closed(probe: Probe, _expect: Closed, answers: Sequence[Answer]) -> Judgement:
    found = answers[-1].open_ports
    return _failed(f"open: {', '.join(map(str, found))}") if found else _passed(f"{len(probe.request.ports)} ports tried")


def _cached_keys(probe: Probe, _expect: CachedKeys, answers: Sequence[Answer]) -> Judgement:
    return _admitted(probe, Admitted(), answers)


Judge = Callable[[Probe, Any, Sequence[Answer]], Judgement]
JUDGES: Final[dict[type[Expectation], Judge]] = cast(
    "dict[type[Expectation], Judge]",
    {
        Admitted: _admitted,
        Answered: _answered,
        Refused: _refused,
        Contained: _contained,
        Received: _received,
        Preflighted: _preflighted,
        Readable: _readable,
        Limited: _limited,
        Split: _split,
        Faulted: _faulted,
        Spared: _spared,
        GivenUp: _given_up,
        Retried: _retried,
        Ejected: _ejected,
        Renewed: _renewed,
        Traced: _traced,
        OwnTrace: _own_trace,
        Single: _single,
        Rejected: _rejected,
        Closed: _closed,
        CachedKeys: _cached_keys,
    },
)
