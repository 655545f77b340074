"""What a browser makes of answers to its questions."""

import json
from dataclasses import replace

import pytest

from conformance.answer import Answer
from conformance.verdict import Verdict, judge
from topology.derive.probes import Preflighted, Probe, Readable, Request, Vantage
from topology.derive.probes.expectation import Expectation
from topology.derive.probes.probe import Family
from topology.derive.probes.target import EDGE
from topology.derive.probes.vantage import OUTSIDE

APP = "https://app.abc.example"
EVIL = "https://evil.example"
ECHO = '{"method": "GET", "path": "/a/x", "headers": {}, "service": "a-v1-1"}'
SAID = {
    "Access-Control-Allow-Origin": [EVIL],
    "Access-Control-Allow-Credentials": ["true"],
    "Access-Control-Expose-Headers": ["X-Echo-Cors"],
    "Access-Control-Max-Age": ["86397"],
}
OUTSPOKEN = json.dumps({**json.loads(ECHO), "said": SAID})
"""What the echo answers that was told to speak to browsers."""
TOLD = (
    ("access-control-allow-origin", APP),
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "authorization"),
    ("access-control-max-age", "600"),
)
LISTED = Preflighted(asking=APP, origin=APP, methods=("GET", "POST"), headers=("authorization",), max_age=600)
READ = Readable(service="a", asking=APP, origin=APP, expose=("x-request-id",))
READABLE = (("access-control-allow-origin", APP), ("access-control-expose-headers", "x-request-id"), ("vary", "accept-encoding, Origin"))


def verdict(expect: Expectation, answer: Answer) -> Verdict:
    vantage: Vantage = OUTSIDE
    probe = Probe(id="p", family=Family.BROWSERS, vantage=vantage, target=EDGE, request=Request(), expect=expect, why="")
    return judge(probe, [answer]).verdict


def told(*headers: tuple[str, str], status: int = 200, body: str = "") -> Answer:
    return Answer(status=status, headers=headers, body=body, connected=True)


def but(name: str, value: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value if key == name else given) for key, given in TOLD)


def test_a_preflight_of_a_named_origin_is_told_what_the_topology_says() -> None:
    assert verdict(LISTED, told(*TOLD)) is Verdict.PASSED
    assert verdict(LISTED, told(*TOLD, status=204)) is Verdict.PASSED


@pytest.mark.parametrize(
    "headers",
    [
        TOLD[1:],
        but("access-control-allow-origin", "*"),
        (*TOLD, ("access-control-allow-origin", APP)),
        (*TOLD, ("access-control-allow-credentials", "true")),
        but("access-control-allow-methods", "GET"),
        but("access-control-allow-methods", "GET, POST, DELETE"),
        but("access-control-allow-headers", "authorization, x-more"),
        but("access-control-max-age", "601"),
    ],
)
def test_a_preflight_that_is_told_anything_else_fails(headers: tuple[tuple[str, str], ...]) -> None:
    assert verdict(LISTED, told(*headers)) is Verdict.FAILED


@pytest.mark.parametrize("body", [ECHO, "hello"])
def test_a_preflight_that_reaches_a_service_fails_whatever_is_told(body: str) -> None:
    assert verdict(LISTED, told(*TOLD, body=body)) is Verdict.FAILED
    assert verdict(Preflighted(asking="null"), told(body=body)) is Verdict.FAILED


def test_a_strange_origin_may_be_told_nothing_or_the_name_of_another() -> None:
    stranger = Preflighted(asking=EVIL)
    assert verdict(stranger, told()) is Verdict.PASSED
    assert verdict(stranger, told(status=403, body="RBAC: access denied")) is Verdict.PASSED
    assert verdict(stranger, told(("access-control-allow-origin", APP))) is Verdict.PASSED
    assert verdict(stranger, told(("access-control-allow-origin", EVIL))) is Verdict.FAILED
    assert verdict(stranger, told(("access-control-allow-origin", "*"))) is Verdict.FAILED


def test_a_question_that_was_not_answered_says_nothing() -> None:
    assert verdict(LISTED, Answer(error="timed out")) is Verdict.NOT_RUN
    assert verdict(LISTED, told(status=429)) is Verdict.NOT_RUN


def test_an_answer_is_read_by_scripts_of_the_named_origin_alone() -> None:
    assert verdict(READ, told(*READABLE, body=ECHO)) is Verdict.PASSED
    assert verdict(READ, told(READABLE[0], READABLE[2], body=ECHO)) is Verdict.FAILED
    assert verdict(READ, told(*READABLE[:2], body=ECHO)) is Verdict.FAILED
    assert verdict(READ, told(body=ECHO)) is Verdict.FAILED
    other = Readable(service="a", asking=EVIL)
    assert verdict(other, told(*READABLE, body=ECHO)) is Verdict.PASSED
    assert verdict(other, told(("access-control-allow-origin", EVIL), body=ECHO)) is Verdict.FAILED


def test_a_refusal_is_read_by_scripts_of_the_named_origin_alone() -> None:
    missing, refused = "Jwt is missing", replace(READ, refused=(401, 403))
    assert verdict(refused, told(*READABLE, status=401, body=missing)) is Verdict.PASSED
    assert verdict(refused, told(status=401, body=missing)) is Verdict.FAILED, "the script learns that something failed, and not what"
    assert verdict(refused, told(*READABLE[:2], status=401, body=missing)) is Verdict.FAILED, "nothing tells caches"
    assert verdict(refused, told(*READABLE, body=ECHO)) is Verdict.FAILED, "it is let through"
    stranger = Readable(service="a", asking=EVIL, refused=(401, 403))
    assert verdict(stranger, told(status=401, body=missing)) is Verdict.PASSED
    assert verdict(stranger, told(("access-control-allow-origin", "*"), status=401, body=missing)) is Verdict.FAILED


def test_what_a_service_says_to_browsers_does_not_arrive() -> None:
    stranger = Readable(service="a", asking=EVIL, outspoken=True)
    assert verdict(stranger, told(body=OUTSPOKEN)) is Verdict.PASSED
    named = replace(READ, outspoken=True, credentials=True)
    allowed = ("access-control-allow-credentials", "true")
    assert verdict(named, told(*READABLE, allowed, body=OUTSPOKEN)) is Verdict.PASSED, "the gateway says so, too"


@pytest.mark.parametrize("name", sorted(SAID))
def test_any_header_of_a_services_own_that_arrives_fails(name: str) -> None:
    heard = (name.lower(), SAID[name][0])
    assert verdict(replace(READ, outspoken=True), told(*READABLE, heard, body=OUTSPOKEN)) is Verdict.FAILED
    if name != "Access-Control-Allow-Credentials":  # which opens nothing to an origin that is not named
        assert verdict(Readable(service="a", asking=EVIL, outspoken=True), told(heard, body=OUTSPOKEN)) is Verdict.FAILED


def test_a_service_that_does_not_say_that_it_spoke_shows_nothing() -> None:
    assert verdict(replace(READ, outspoken=True), told(*READABLE, body=ECHO)) is Verdict.NOT_RUN
    assert verdict(Readable(service="a", asking=EVIL, outspoken=True), told(body="hello")) is Verdict.NOT_RUN
