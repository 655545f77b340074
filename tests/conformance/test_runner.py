"""A run from outside against a server of this process: pace, controls, limits, reports."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from conformance.curl import Shell
from conformance.errors import NoIdentityError
from conformance.report import Outcome, Report
from conformance.report.machine import as_json, as_junit
from conformance.report.text import show
from conformance.runner import Result
from conformance.vantages import Vantages
from conformance.verdict import Verdict
from conformance.verify import Choice, pace
from tests.conformance.servers import CLUSTER, System, asked, running
from tests.systems import topology
from topology.derive.probes import (
    Admitted,
    Answered,
    Closed,
    Contained,
    Expectation,
    Family,
    Layer,
    Limited,
    Place,
    Pods,
    Probe,
    Received,
    Refused,
    Rejected,
    Request,
    Scheme,
    Single,
    Stage,
    Token,
    Vantage,
    probes,
)
from topology.derive.probes.target import EDGE, At, Target
from topology.derive.probes.vantage import OUTSIDE

DENIED = "the control plane denies it a certificate"


class NoVantages(Vantages):
    """Probes from outside need no place inside."""

    def open(self, wanted: object) -> None:
        """Open nothing."""

    def ready(self, pods: Pods) -> int:
        """Say that there are two of everything."""
        return 2

    def shell(self, vantage: Vantage) -> Shell:
        """Say that no stranger gets an identity."""
        raise NoIdentityError(DENIED)


def run(system: System, *chosen: Probe) -> list[Result]:
    return asked(NoVantages(CLUSTER, ""), system.address, *chosen)


def probe(name: str, path: str, expect: Expectation, *controls: str, **more: object) -> Probe:
    request = Request(**{"path": path, "scheme": Scheme.HTTPS, "host": "api.example", **more})  # type: ignore[arg-type] # fields by name
    stage = Stage.LOAD if isinstance(expect, Limited) else Stage.PLAIN
    return Probe(
        id=name,
        family=Family.DOORS,
        vantage=OUTSIDE,
        target=EDGE,
        request=request,
        expect=expect,
        why="a test",
        controls=controls,
        stage=stage,
    )


CONTROL = probe("control", "/open/x", Admitted())
REFUSED = probe("refused", "/token", Refused(by=(Layer.PROXY,), statuses=(401,)), "control")


def test_a_system_that_does_as_it_should_passes(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        assert [result.verdict for result in run(system, CONTROL, REFUSED)] == [Verdict.PASSED, Verdict.PASSED]


def test_what_was_lost_on_its_way_is_sent_again(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        _, result = run(system, CONTROL, probe("headers", "/moving/x", Received(absent=("x-user",)), "control"))
        assert system.paths.count("/moving/x") == 2
    assert result.said == "as it should"


def test_a_refusal_whose_control_failed_was_not_run(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        control, refused = run(system, replace(CONTROL, request=replace(CONTROL.request, path="/gone")), REFUSED)
    assert control.verdict is Verdict.FAILED
    assert refused.verdict is Verdict.NOT_RUN
    assert "its control did not pass (control)" in refused.said


def test_a_refusal_whose_control_is_not_asked_was_not_run(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        assert run(system, REFUSED)[0].verdict is Verdict.NOT_RUN


def test_a_request_that_is_let_in_is_a_failure_whatever_its_control_says(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        assert run(system, replace(REFUSED, request=replace(REFUSED.request, path="/open/y")))[0].verdict is Verdict.FAILED


@pytest.mark.parametrize(
    "expect",
    [Refused(by=(Layer.PROXY,)), Contained(patterns=()), Received(nowhere=("x",)), Single()],
    ids=lambda expect: type(expect).__name__,
)
def test_whatever_means_a_refusal_needs_a_control_that_passed(expect: Expectation, tmp_path: Path) -> None:
    asked = probe("asked", "/token", expect, "control")
    if isinstance(expect, Single):
        asked = replace(
            asked, request=replace(asked.request, scheme=Scheme.RAW, raw="GET /token HTTP/1.1\r\nHost: api.example\r\n\r\n", seconds=1.0)
        )
    with running(tmp_path) as system:
        assert run(system, asked, CONTROL)[0].verdict is Verdict.PASSED
        assert run(system, asked, replace(CONTROL, request=replace(CONTROL.request, path="/gone")))[0].verdict is Verdict.NOT_RUN
        assert run(system, asked)[0].verdict is Verdict.NOT_RUN
        assert run(system, replace(asked, controls=()))[0].verdict is Verdict.NOT_RUN


def test_malformed_requests_are_not_run_where_the_edge_does_not_speak_http_2_and_say_so(tmp_path: Path) -> None:
    control = probe("control", "/open/x", Admitted(), scheme=Scheme.HTTP2)
    refused = Rejected(by=(Layer.EDGE,), statuses=(400,))
    with running(tmp_path) as system:
        found = run(system, control, probe("malformed", "/open/x", refused, "control", scheme=Scheme.HTTP2))
    assert [result.verdict for result in found] == [Verdict.NOT_RUN] * 2
    assert all("does not speak HTTP/2" in result.said for result in found)


def test_closed_ports_mean_nothing_where_the_open_one_does_not_answer(tmp_path: Path) -> None:
    scan = probe("ports", "", Closed(), "control")
    scan = replace(scan, request=Request(scheme=Scheme.SCAN, ports=(1, 2), seconds=1.0))
    with running(tmp_path) as system:
        # By name: this machine's other ports, where it is public itself, are not scanned.
        scan = replace(scan, target=Target(at=At.NAME, name=system.address.host, port=system.address.port))
        assert [result.verdict for result in run(system, scan, CONTROL)] == [Verdict.PASSED, Verdict.PASSED]
        assert run(system, scan, replace(CONTROL, request=replace(CONTROL.request, path="/gone")))[0].verdict is Verdict.NOT_RUN


MEMBER = Vantage(place=Place.MEMBER, mesh="main")
ITSELF = Target(at=At.NAME, name="127.0.0.1", port=15021)
ALIVE = replace(probe("alive", "/", Answered(status=200), "control"), vantage=MEMBER, target=ITSELF)
STRANGER = replace(probe("stranger", "/", Refused(by=(Layer.PROXY,)), "alive"), vantage=MEMBER, target=ITSELF)


def test_a_stranger_without_an_identity_is_refused_where_others_get_one(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        found = run(system, ALIVE, STRANGER, CONTROL)
    assert [(result.verdict, result.said) for result in found[:2]] == [(Verdict.PASSED, DENIED)] * 2


def test_a_stranger_without_an_identity_was_not_asked_where_nobody_gets_one(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        found = run(system, ALIVE, STRANGER, replace(CONTROL, request=replace(CONTROL.request, path="/gone")))
    assert [result.verdict for result in found] == [Verdict.NOT_RUN, Verdict.NOT_RUN, Verdict.FAILED]


def test_where_nobody_mints_tokens_their_probes_are_not_run_and_say_so(tmp_path: Path) -> None:
    token = Token(issuer="https://login.example", audience="a", subject="s")
    with running(tmp_path) as system:
        (result,) = run(system, probe("token", "/open", Admitted(), credential=token))
    assert (result.verdict, result.said) == (Verdict.NOT_RUN, "nobody here mints tokens: give --token-command")


def test_a_limit_is_used_up_and_asked_again_after_its_rest(tmp_path: Path) -> None:
    expect = Limited(least=20, capacity=20, refill=0.0, rest=0.0)
    with running(tmp_path, limit=20) as system:
        (result,) = run(system, probe("limit", "/open", expect, count=40))
    assert result.verdict is Verdict.FAILED
    assert result.said.startswith("20 of 40 passed")
    assert "rest" in result.said


def test_a_limit_that_pods_count_each_for_itself_is_so_many_times_as_wide(tmp_path: Path) -> None:
    expect = Limited(least=20, capacity=20, refill=0.0, rest=0.0, counted_by=Pods(namespace="gateway", label="layer", value="gateway"))
    with running(tmp_path, limit=35) as system:
        (result,) = run(system, probe("limit", "/open", expect, count=50))
    assert "35 of 50 passed" in result.said
    assert "counted by each of 2 pods" in result.said
    assert "should pass" not in result.said


def results() -> tuple[Result, ...]:
    def say(each: Probe, verdict: Verdict, said: str) -> Result:
        return Result(probe=each, verdict=verdict, said=said)

    return (
        say(CONTROL, Verdict.PASSED, "service: 200"),
        say(REFUSED, Verdict.FAILED, "let through to the service \x00"),
        say(replace(REFUSED, id="path\x01", expect=Contained(patterns=())), Verdict.NOT_RUN, "no echo"),
    )


@pytest.mark.parametrize(
    ("count", "left_out", "outcome"),
    [
        (1, (), Outcome.SUCCESS),
        (1, (("tier x", "an hour"),), Outcome.PARTIAL),
        (2, (), Outcome.FAILURE),
        (3, (), Outcome.FAILURE),
        (0, (), Outcome.PARTIAL),
    ],
)
def test_the_outcome_is_never_green_while_something_was_not_asked(
    count: int, left_out: tuple[tuple[str, str], ...], outcome: Outcome
) -> None:
    assert Report(system="s", subject="t", results=results()[:count], left_out=left_out).outcome is outcome


def test_the_report_for_people_names_what_failed_and_why_it_was_asked_and_what_was_not_run() -> None:
    written = StringIO()
    console = Console(width=120, file=written)
    show(Report(system="abc", subject="a test", results=results(), left_out=(("tier x", "lasts an hour"),)), console=console)
    text = written.getvalue()
    for words in ("refused", "because  a test", "let through to the service", "no echo", "tier x: lasts an hour", "FAILURE", "3 probes"):
        assert words in text, text


def test_the_reports_for_programs_say_the_same() -> None:
    report = Report(system="abc", subject="a test", results=results(), left_out=(("tier x", "lasts an hour"),))
    document = json.loads(as_json(report))
    assert (document["outcome"], document["counts"]) == ("failure", {"passed": 1, "failed": 1, "not run": 1})
    assert document["probes"][1]["seen"].startswith("let through")
    root = ET.fromstring(as_junit(report))  # noqa: S314 # our own
    assert [suite.get("failures") for suite in root.iter("testsuite")] == ["1", "0"]
    assert [case.get("message") for case in root.iter("skipped")] == ["no echo", "lasts an hour"]


def test_a_choice_of_families_brings_their_controls() -> None:
    all_ = probes(topology("abc"))
    chosen = Choice(only=frozenset({Family.CALLS})).chosen(all_)
    assert {probe.family for probe in chosen} == {Family.CALLS, Family.CONTROL}
    assert {control for probe in chosen for control in probe.controls} <= {probe.id for probe in chosen}
    without = Choice(without=frozenset({Family.SPELLINGS})).chosen(all_)
    assert len(without) == sum(probe.family is not Family.SPELLINGS for probe in all_)


def test_the_pace_from_outside_stays_below_what_one_client_may() -> None:
    assert pace(topology("abc")) == 40
    assert pace(topology("bookinfo")) == 20
