"""A client in frames of HTTP/2, and the word on what comes back: lax servers make the probes fail, mute ones leave them open."""

from dataclasses import replace
from pathlib import Path

import pytest
from hyperframe.frame import Frame

from conformance import http2
from conformance.curl import Sent
from conformance.errors import NotRunError
from conformance.verdict import Judgement, Verdict, judge
from tests.conformance.http2_servers import Asked, Behaviour, Server, answer, close, first_then, go_away, lax, reset, running, silent
from tests.conformance.servers import NGINX
from tests.systems import topology
from topology.derive.probes import Probe, Rejected
from topology.derive.probes.http2 import COOKIES, MALFORMED, malformed
from topology.derive.probes.request import WELL_FORMED

CONTROL, *PROBES = malformed(topology("abc"))
BY_NAME = {probe.id.rsplit("/", 1)[1]: probe for probe in PROBES}
BAD = replace(BY_NAME["h2-path-twice"], request=replace(BY_NAME["h2-path-twice"].request, seconds=1.0))
MENDED = BY_NAME["h2-connection"]


def sent(server: Server, probe: Probe) -> Sent:
    credential = ("Authorization", "Bearer a.b.c")
    request = probe.request
    return Sent(request=request, address=server.address.host, port=server.address.port, path=request.path, headers=(credential,))


def word(server: Server, probe: Probe) -> Judgement:
    return judge(probe, http2.send(sent(server, probe)))


def page(status: int) -> Behaviour:
    return lambda asked: answer(asked, status, NGINX.format(f"{status} Said"))


def without_it(asked: Asked) -> list[Frame]:
    """Answer as behind a hop that drops what is wrong."""
    return lax(replace(asked, fields=[pair for pair in asked.fields if pair[0] != "connection"]))


def without_echo(asked: Asked) -> list[Frame]:
    """Answer as a service that does not say what it received."""
    return answer(asked, 200, "hello")


def another(asked: Asked) -> list[Frame]:
    """Answer as to a request that was hidden in the one before."""
    return lax(replace(asked, fields=[*asked.fields, (":path", "/perimeter-smuggled")]))


def test_what_is_malformed_arrives_as_it_was_written_and_a_well_formed_request_after_it(tmp_path: Path) -> None:
    with running(tmp_path, lax) as server:
        http2.send(sent(server, BY_NAME["h2-name-uppercase"]))
        http2.send(sent(server, BY_NAME["h2-cl-short"]))
    bad, good, short, _ = server.asked
    assert ("X-Perimeter", "perimeter-smuggled") in bad.fields
    assert [name for name, _ in good.fields] == [*(name for name, _ in WELL_FORMED[:-1]), "authorization", "user-agent", "accept"]
    assert good.stream == bad.stream + 2  # one connection
    assert (dict(short.fields)["content-length"], short.data[:24]) == ("0", b"GET /perimeter-smuggled ")
    assert dict(good.fields)[":authority"] == CONTROL.request.host


def test_a_flood_of_cookies_is_as_long_as_it_says_and_small_on_the_wire(tmp_path: Path) -> None:
    with running(tmp_path, lax) as server:
        assert word(server, BY_NAME["h2-cookies"]).verdict is Verdict.FAILED
    assert sum(name == "cookie" for name, _ in server.asked[0].fields) == COOKIES == 10_000


@pytest.mark.parametrize("name", MALFORMED)
def test_a_server_that_takes_what_is_malformed_fails(name: str, tmp_path: Path) -> None:
    harmless = {"h2-pseudo-late"}  # the service received no more than what it would have without
    with running(tmp_path, lax) as server:
        found = word(server, BY_NAME[name])
        assert word(server, CONTROL).verdict is Verdict.PASSED
    assert found.verdict is (Verdict.PASSED if name in harmless else Verdict.FAILED), found.said


@pytest.mark.parametrize("refusal", [page(400), page(431), reset, go_away, close])
def test_a_server_that_refuses_it_and_answers_the_next_one_passes(refusal: Behaviour, tmp_path: Path) -> None:
    with running(tmp_path, first_then(refusal, lax)) as server:
        found = word(server, BAD)
    assert found.verdict is Verdict.PASSED, found.said


@pytest.mark.parametrize(
    ("first", "then", "verdict", "said"),
    [
        (silent, lax, Verdict.NOT_RUN, "neither refused nor let through"),
        (page(429), lax, Verdict.NOT_RUN, "neither refused nor let through"),
        (page(404), lax, Verdict.FAILED, "not as malformed"),
        (page(502), lax, Verdict.FAILED, "not as malformed"),
        (page(400), another, Verdict.FAILED, "the answer to another one"),
        (page(400), page(404), Verdict.FAILED, "the next request"),
        (reset, close, Verdict.NOT_RUN, "was not answered"),
        (page(400), silent, Verdict.NOT_RUN, "was not answered"),
    ],
)
def test_nothing_else_passes(first: Behaviour, then: Behaviour, verdict: Verdict, said: str, tmp_path: Path) -> None:
    with running(tmp_path, first_then(first, then)) as server:
        found = word(server, BAD)
    assert found.verdict is verdict, found.said
    assert said in found.said


@pytest.mark.parametrize(
    ("first", "verdict"),
    [
        (without_it, Verdict.PASSED),
        (page(400), Verdict.PASSED),
        (lax, Verdict.FAILED),
        (without_echo, Verdict.NOT_RUN),
    ],
)
def test_what_may_be_mended_passes_where_the_service_says_that_it_did_not_arrive(
    first: Behaviour, verdict: Verdict, tmp_path: Path
) -> None:
    assert isinstance(MENDED.expect, Rejected)
    assert MENDED.expect.mended
    with running(tmp_path, first_then(first, lax)) as server:
        found = word(server, MENDED)
    assert found.verdict is verdict, found.said


@pytest.mark.parametrize("protocol", ["http/1.1", "something"])
def test_an_edge_that_does_not_choose_http_2_is_not_asked(protocol: str, tmp_path: Path) -> None:
    with running(tmp_path, lax, protocol) as server, pytest.raises(NotRunError, match="does not speak HTTP/2"):
        http2.send(sent(server, CONTROL))


def test_nobody_there_is_no_refusal(tmp_path: Path) -> None:
    with running(tmp_path, lax) as server:
        pass
    assert word(server, BAD).verdict is Verdict.NOT_RUN
