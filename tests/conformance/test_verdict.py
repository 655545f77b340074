"""Who answered, and whether that is what the topology makes right."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.answer import Answer
from conformance.signatures import layer_of
from conformance.verdict import JUDGES, Verdict, interpreted, judge
from topology.derive.probes import (
    Admitted,
    Closed,
    Contained,
    Ejected,
    Expectation,
    Family,
    Faulted,
    GivenUp,
    Layer,
    Limited,
    OwnTrace,
    Place,
    Pods,
    Probe,
    Received,
    Refused,
    Renewed,
    Request,
    Retried,
    Scheme,
    Single,
    Spared,
    Split,
    Traced,
    Vantage,
)
from topology.derive.probes.layer import INSIDE
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import OUTSIDE

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))
"""Answers of a system that ran: payments on the embedded cluster, one of each kind."""

POD = Vantage(place=Place.POD, pods=Pods(namespace="abc", label="app", value="a"))
RBAC = Answer(status=403, body="RBAC: access denied", connected=True)
NO_ROUTE = Answer(status=502, connected=True, headers=(("content-length", "0"),))
RESET = Answer(connected=True, error="Recv failure: Connection reset by peer")
NOBODY = Answer(error="Connection timed out")
LIMITED = Answer(status=429, body="local_rate_limited", connected=True)
FAULT = Answer(status=503, body="fault filter abort", connected=True)
UNHEALTHY = Answer(status=503, body="no healthy upstream", connected=True)
PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>nginx</center></body></html>"
FIREWALL = Answer(status=403, body=PAGE.format("403 Forbidden"), connected=True)


def echo(path: str = "/b/x", instance: str = "b-v1-5d4f-abcde", status: int = 200, **headers: str) -> Answer:
    received = {name.replace("_", "-"): [value] for name, value in headers.items()}
    body = json.dumps({"service": instance, "method": "GET", "path": path, "headers": received})
    return Answer(status=status, body=body, connected=True)


def probe(expect: Expectation, vantage: Vantage = POD, **request: Any) -> Probe:
    target = Target(at=At.NAME, name="b.abc.svc.cluster.local", port=8080)
    return Probe(id="p", family=Family.CALLS, vantage=vantage, target=target, request=Request(**request), expect=expect, why="")


def word(expect: Expectation, *answers: Answer, vantage: Vantage = POD, may_fail: bool = False, **request: Any) -> Verdict:
    return judge(replace(probe(expect, vantage, **request), may_fail=may_fail), answers).verdict


@pytest.mark.parametrize("found", RECORDED, ids=lambda found: f"{found['layer']} {found['status']} {found['body'][:24]!r}")
def test_a_recorded_answer_is_known_by_its_layer(found: dict[str, Any]) -> None:
    headers = tuple((name, value) for name, value in found["headers"])
    answer = Answer(status=found["status"], headers=headers, body=found["body"], connected=found["connected"], error=found["error"])
    assert layer_of(answer, outside=found["outside"]) == found["layer"]


def test_every_layer_of_the_way_in_was_recorded() -> None:
    assert {Layer.EDGE, Layer.FIREWALL, Layer.PROXY, Layer.LIMIT, Layer.OWN_PROXY, Layer.SERVICE} <= {found["layer"] for found in RECORDED}


def test_every_expectation_has_a_judge() -> None:
    assert set(JUDGES) == set(Expectation.__args__)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (echo(), Verdict.PASSED),
        (Answer(status=404, body="404 page not found", connected=True), Verdict.PASSED),
        (RBAC, Verdict.FAILED),
        (NO_ROUTE, Verdict.FAILED),
        (NOBODY, Verdict.FAILED),
        (UNHEALTHY, Verdict.FAILED),
        (LIMITED, Verdict.NOT_RUN),
        (FAULT, Verdict.FAILED),
        (Answer(status=401, body="who are you?", connected=True), Verdict.NOT_RUN),
    ],
)
def test_a_call_is_admitted_when_the_service_itself_answers_whatever_it_says(answer: Answer, verdict: Verdict) -> None:
    assert word(Admitted(service="b"), answer) is verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (RBAC, Verdict.PASSED),
        (echo(), Verdict.FAILED),
        (UNHEALTHY, Verdict.FAILED),
        (replace(RBAC, status=500), Verdict.FAILED),
        (NO_ROUTE, Verdict.NOT_RUN),
        (NOBODY, Verdict.NOT_RUN),
        (LIMITED, Verdict.NOT_RUN),
    ],
)
def test_a_wrong_call_is_refused_only_by_the_layer_that_should(answer: Answer, verdict: Verdict) -> None:
    assert word(Refused(by=(Layer.PROXY,), statuses=(403,)), answer) is verdict


@pytest.mark.parametrize("answer", [RBAC, NO_ROUTE, RESET, NOBODY])
def test_any_layer_may_refuse_a_pair_without_an_edge(answer: Answer) -> None:
    assert word(Refused(by=INSIDE), answer) is Verdict.PASSED


def test_where_only_the_network_should_be_met_a_connection_is_a_failure() -> None:
    assert word(Refused(by=(Layer.NETWORK,)), NOBODY) is Verdict.PASSED
    assert word(Refused(by=(Layer.NETWORK,)), RESET) is Verdict.FAILED


def test_an_answer_in_plaintext_is_a_failure_even_if_it_refuses() -> None:
    assert word(Refused(by=(Layer.NETWORK, Layer.TRANSPORT)), RBAC) is Verdict.FAILED


def test_a_sidecar_that_goes_looking_for_an_unnamed_host_has_let_it_pass() -> None:
    expect = Refused(by=(Layer.OWN_PROXY, Layer.TRANSPORT))
    looking = Answer(connected=True, silent=True, error="Operation timed out")
    gone = Answer(status=503, connected=True, body="upstream connect error or disconnect/reset before headers. reset reason: timeout")
    assert [word(expect, answer) for answer in (NO_ROUTE, RESET, looking, gone)] == [
        Verdict.PASSED,
        Verdict.PASSED,
        Verdict.FAILED,
        Verdict.FAILED,
    ]


def test_a_firewall_is_told_from_the_edge_and_both_from_a_service_that_is_nginx_too() -> None:
    assert layer_of(FIREWALL, outside=True) is Layer.FIREWALL
    assert layer_of(replace(FIREWALL, status=404), outside=True) is Layer.EDGE
    assert layer_of(replace(FIREWALL, status=404), outside=False) is Layer.SERVICE


@pytest.mark.parametrize(
    ("status", "message", "layer"),
    [
        ("7", "RBAC: access denied", Layer.PROXY),
        ("16", "Jwt is missing", Layer.PROXY),
        ("7", "Audiences in Jwt are not allowed", Layer.PROXY),
        ("12", "", Layer.PROXY),
        ("12", "unknown service banking.ledger.v1.Ledger", Layer.SERVICE),
        ("14", "no healthy upstream", Layer.UPSTREAM),
        ("14", "", Layer.OWN_PROXY),
        ("0", "", Layer.SERVICE),
    ],
)
def test_a_grpc_status_says_who_answered(status: str, message: str, layer: Layer) -> None:
    headers = (("grpc-status", status), ("grpc-message", message))
    assert layer_of(Answer(status=200, headers=headers, connected=True), outside=False) is layer


def test_a_tcp_connection_that_is_kept_is_the_service_and_one_that_is_closed_says_nothing() -> None:
    kept = Answer(connected=True, silent=True)
    assert word(Admitted(service="b"), kept, scheme=Scheme.TCP) is Verdict.PASSED
    assert word(Refused(by=INSIDE), kept, scheme=Scheme.TCP) is Verdict.FAILED
    assert word(Admitted(service="b"), RESET, scheme=Scheme.TCP) is Verdict.NOT_RUN
    assert word(Refused(by=INSIDE), RESET, scheme=Scheme.TCP) is Verdict.PASSED


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ("/a/x", Verdict.PASSED),
        ("/a/x?q=/admin", Verdict.PASSED),
        ("/admin", Verdict.FAILED),
        ("/a/../admin", Verdict.FAILED),
        ("/a/%2e%2e/admin", Verdict.FAILED),
        ("/a/..%5cadmin", Verdict.FAILED),
        ("/a/%252e%252e/admin", Verdict.PASSED),
        ("//a/x", Verdict.FAILED),
    ],
)
def test_the_service_is_never_asked_for_a_path_that_a_lenient_server_would_read_otherwise(asked: str, verdict: Verdict) -> None:
    assert word(Contained(patterns=("/a/*",)), echo(asked)) is verdict


def test_a_service_that_does_not_echo_proves_nothing_about_paths() -> None:
    assert word(Contained(patterns=("/a/*",)), Answer(status=404, body="404 page not found", connected=True)) is Verdict.NOT_RUN
    assert word(Contained(patterns=("/a/*",)), RBAC) is Verdict.PASSED


@pytest.mark.parametrize(("path", "read"), [("/a/./b", "/a/b"), ("/a//b", "/a/b"), ("/a/b/..", "/a/"), ("/..", "/"), ("/a%2fb", "/a/b")])
def test_a_path_is_read_as_a_lenient_server_would(path: str, read: str) -> None:
    assert interpreted(path) == read


def test_what_a_client_forged_is_found_under_whatever_name_it_arrives() -> None:
    expect = Received(nowhere=("forged",), equal=(("x-perimeter-subject", "anna"),), absent=("authorization",))
    assert word(expect, echo(x_perimeter_subject="anna")) is Verdict.PASSED
    assert word(expect, echo(x_perimeter_subject="anna", x_other="is forged too")) is Verdict.FAILED
    assert word(expect, echo(x_perimeter_subject="berta")) is Verdict.FAILED
    assert word(expect, echo(x_perimeter_subject="anna", authorization="Bearer x")) is Verdict.FAILED
    assert word(expect, FIREWALL, vantage=OUTSIDE) is Verdict.PASSED
    assert word(expect, Answer(status=404, body="404 page not found", connected=True)) is Verdict.NOT_RUN


def limited(passed: int, stopped: int, seconds: float, rested: Answer, counters: int = 1) -> Verdict:
    expect = Limited(least=20, capacity=40, refill=40.0, rest=1, counters=counters)
    return word(expect, *[echo()] * passed, *[LIMITED] * stopped, replace(rested, seconds=seconds))


def test_a_limit_lets_pass_what_it_should_and_no_more_and_again_after_a_rest() -> None:
    assert limited(80, 20, 1.0, echo()) is Verdict.PASSED
    assert limited(120, 0, 1.0, echo()) is Verdict.FAILED
    assert limited(5, 95, 1.0, echo()) is Verdict.FAILED
    assert limited(80, 20, 1.0, LIMITED) is Verdict.FAILED
    assert limited(100, 0, 10.0, echo()) is Verdict.NOT_RUN


def test_pods_of_which_each_counts_for_itself_let_pass_so_many_times_more() -> None:
    assert limited(160, 20, 1.0, echo(), counters=2) is Verdict.PASSED
    assert limited(160, 0, 1.0, echo(), counters=2) is Verdict.NOT_RUN
    assert limited(240, 0, 1.0, echo(), counters=2) is Verdict.FAILED


def split(first: int, second: int) -> Verdict:
    answers = [echo(instance="b-v1-5d4f-a")] * first + [echo(instance="b-v2-77aa-b")] * second
    return word(Split(shares=(("v1", 90.0), ("v2", 10.0))), *answers)


def test_versions_answer_in_their_shares() -> None:
    assert split(180, 20) is Verdict.PASSED
    assert split(170, 30) is Verdict.PASSED
    assert split(100, 100) is Verdict.FAILED
    assert split(200, 0) is Verdict.FAILED


UNEXPLAINED = Answer(status=503, connected=True, body="sorry")


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ([UNHEALTHY] * 100, Verdict.FAILED),
        ([RBAC] * 100, Verdict.FAILED),
        ([UNEXPLAINED] * 100, Verdict.NOT_RUN),
        ([LIMITED] * 100, Verdict.NOT_RUN),
        ([Answer(status=200, body="hello", connected=True)] * 100, Verdict.NOT_RUN),
        ([UNHEALTHY] * 5, Verdict.PASSED),
    ],
    ids=["nobody there", "refused", "unexplained", "limited", "no echo", "few"],
)
def test_shares_mean_nothing_unless_nearly_all_answers_say_their_version(others: list[Answer], verdict: Verdict) -> None:
    answers = [echo(instance="b-v1-5d4f-a")] * 90 + [echo(instance="b-v2-77aa-b")] * 10
    found = judge(probe(Split(shares=(("v1", 90.0), ("v2", 10.0)))), [*answers, *others])
    assert found.verdict is verdict
    assert verdict is Verdict.PASSED or f"100 of {100 + len(others)} answers say" in found.said


def test_calls_that_fail_on_purpose_take_no_share() -> None:
    answers = [echo(instance="b-v1-5d4f-a")] * 90 + [echo(instance="b-v2-77aa-b")] * 10 + [FAULT] * 100
    assert word(Split(shares=(("v1", 90.0), ("v2", 10.0))), *answers, may_fail=True) is Verdict.PASSED
    assert word(Split(shares=(("v1", 90.0), ("v2", 10.0))), *answers) is Verdict.FAILED
    assert word(Split(shares=(("v1", 90.0), ("v2", 10.0))), *[FAULT] * 100, may_fail=True) is Verdict.NOT_RUN


@pytest.mark.parametrize("expect", [Admitted(service="b"), Refused(by=INSIDE), Received(nowhere=("x",)), Contained(patterns=("/a",))])
def test_a_fault_is_excused_only_where_the_topology_injects_one(expect: Expectation) -> None:
    assert word(expect, FAULT, may_fail=True) is Verdict.NOT_RUN
    assert word(expect, FAULT) is Verdict.FAILED


def test_a_version_without_weight_never_answers() -> None:
    answers = [echo(instance="b-v1-5d4f-a")] * 199 + [echo(instance="b-v2-77aa-b")]
    assert word(Split(shares=(("v1", 100.0), ("v2", 0.0))), *answers) is Verdict.FAILED


def test_a_canary_goes_to_its_version_and_to_no_other() -> None:
    expect = Admitted(service="b", version="v2.0")
    assert word(expect, echo(instance="b-v2-0-77aa-b")) is Verdict.PASSED
    assert word(expect, echo(instance="b-v1-77aa-b")) is Verdict.FAILED


def test_a_share_of_calls_fails_on_purpose() -> None:
    assert word(Faulted(percent=10, status=503), *[FAULT] * 20, *[echo()] * 180, may_fail=True) is Verdict.PASSED
    assert word(Faulted(percent=10, status=503), *[echo()] * 200) is Verdict.FAILED
    slow = replace(echo(), seconds=2.1)
    assert word(Faulted(percent=50, delay=2.0), *[slow] * 100, *[echo()] * 100) is Verdict.PASSED


def rpc(status: int, message: str) -> Answer:
    return Answer(status=200, connected=True, headers=(("grpc-status", str(status)), ("grpc-message", message)))


@pytest.mark.parametrize("status", [14, 2])
def test_a_call_of_grpc_that_fails_on_purpose_is_known_by_its_message_whatever_its_status(status: int) -> None:
    aborted = rpc(status, "fault filter abort")
    assert word(Faulted(percent=10, status=500), *[aborted] * 20, *[echo()] * 180, may_fail=True) is Verdict.PASSED
    assert word(Spared(percent=10, status=500), aborted, *[echo()] * 899, may_fail=True) is Verdict.FAILED


def test_a_slow_service_that_speaks_grpc_is_given_up_in_time() -> None:
    assert word(GivenUp(after=2.0), replace(rpc(14, "upstream request timeout"), seconds=2.1)) is Verdict.PASSED


def test_what_a_service_says_in_metadata_is_read_and_nothing_that_is_none() -> None:
    said = base64.b64encode(b'{"method": "POST", "path": "/b", "headers": {}, "service": "b-v1", "tries": 2}').decode().rstrip("=")
    found = replace(rpc(14, "told to fail"), headers=(*rpc(14, "told to fail").headers, ("x-echo-bin", said)))
    assert layer_of(found, outside=False) is Layer.SERVICE
    assert (told := found.echo()) is not None
    assert (told.instance, told.tries) == ("b-v1", 2)
    for other in ("%", "e30", "eyJ"):
        assert replace(found, headers=(("grpc-status", "14"), ("x-echo-bin", other))).echo() is None


def test_a_fault_that_is_for_others_meets_no_call() -> None:
    delayed, slow = Spared(percent=50, delay=1.0), replace(echo(), seconds=1.3)
    assert word(delayed, *[echo()] * 100) is Verdict.PASSED
    assert word(delayed, *[slow] * 20, *[echo()] * 80) is Verdict.PASSED, "a machine under load, fewer than the fault would hold back"
    assert word(delayed, *[slow] * 45, *[echo()] * 55) is Verdict.FAILED
    assert word(delayed, *[slow] * 100) is Verdict.FAILED
    assert word(Spared(percent=100, delay=1.0), *[slow] * 49, echo()) is Verdict.PASSED, "the fastest says it"
    unanswered = Answer(connected=True, silent=True, error="Operation timed out", seconds=6.0)
    assert word(delayed, *[unanswered] * 45, *[echo()] * 55) is Verdict.FAILED, "held back for longer than is waited"


def test_an_abort_that_is_for_others_meets_no_call_at_all() -> None:
    aborted = Spared(percent=10, status=503)
    assert word(aborted, *[echo()] * 900) is Verdict.PASSED
    assert word(aborted, FAULT, *[echo()] * 899) is Verdict.FAILED
    assert word(aborted, FAULT, *[echo()] * 899, may_fail=True) is Verdict.FAILED


def test_calls_that_nobody_answered_say_nothing_of_a_fault() -> None:
    assert word(Spared(percent=10, delay=1.0), *[RBAC] * 800, *[echo()] * 100) is Verdict.NOT_RUN
    assert word(Spared(percent=50, delay=1.0), *[UNHEALTHY] * 100) is Verdict.NOT_RUN


def test_a_slow_service_is_given_up_in_time() -> None:
    late = Answer(status=504, body="upstream request timeout", connected=True, seconds=2.1)
    assert word(GivenUp(after=2.0), late) is Verdict.PASSED
    assert word(GivenUp(after=2.0), replace(echo(), seconds=5.0)) is Verdict.FAILED
    assert word(GivenUp(after=6.0), late) is Verdict.FAILED, "a try that was not made"
    assert word(GivenUp(after=2.0), replace(echo(), seconds=0.1)) is Verdict.NOT_RUN


def test_an_instance_that_keeps_failing_is_out_and_comes_back() -> None:
    expect = Ejected(instances=2, left=1, duration=30)
    one, other = (echo(status=503, instance=f"b-v1-5d4f-{letter}") for letter in "xy")
    assert word(expect, *[one, other] * 5, *[one] * 8, echo()) is Verdict.PASSED
    assert word(expect, *[one, other] * 9, echo()) is Verdict.FAILED
    assert word(expect, *[one, other] * 5, *[one] * 8, UNHEALTHY) is Verdict.FAILED
    assert word(expect, *[echo()] * 18, echo()) is Verdict.NOT_RUN
    one, other = (replace(failing, status=200, headers=(("grpc-status", "2"),)) for failing in (one, other))
    assert word(expect, *[one, other] * 5, *[one] * 8, echo()) is Verdict.PASSED
    assert word(expect, *[one, other] * 9, echo()) is Verdict.FAILED


def test_a_request_id_is_the_systems_own() -> None:
    expect, own = Renewed(forged="11111111-2222-4333-8444-555555555555", trail=()), "0f0f0f0f-aaaa-4bbb-8ccc-0123456789ab"
    found = replace(echo(x_request_id=own), headers=(("x-request-id", own),))
    assert word(expect, found) is Verdict.PASSED
    assert word(expect, replace(found, headers=(("x-request-id", expect.forged),))) is Verdict.FAILED
    assert word(expect, replace(found, headers=())) is Verdict.FAILED
    assert word(expect, replace(echo(x_request_id="other"), headers=found.headers)) is Verdict.FAILED
    for reason, verdict in {"9": Verdict.PASSED, "a": Verdict.PASSED, "7": Verdict.FAILED}.items():
        traced = own[:14] + reason + own[15:]
        assert word(expect, replace(echo(x_request_id=traced), headers=found.headers)) is verdict


TRACE, OTHER_TRACE, SPAN, OTHER_SPAN = "a" * 32, "b" * 32, "c" * 16, "d" * 16


def context(trace: str = TRACE, span: str = SPAN) -> str:
    return f"00-{trace}-{span}-00"


def onward(first: Answer, second: Answer | None) -> Answer:
    """Return the answer of a service that called on and tells what came back."""
    following = {"status": second.status, "headers": dict(second.headers), "body": second.body} if second else {"error": "no route"}
    return replace(first, body=json.dumps({**json.loads(first.body), "next": following}))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (onward(echo(traceparent=context()), echo("/c/x", traceparent=context(span=OTHER_SPAN))), Verdict.PASSED),
        (onward(echo(traceparent=context()), echo("/c/x", traceparent=context())), Verdict.FAILED),
        (onward(echo(traceparent=context()), echo("/c/x", traceparent=context(OTHER_TRACE, OTHER_SPAN))), Verdict.FAILED),
        (onward(echo(traceparent=context()), echo("/c/x")), Verdict.FAILED),
        (onward(echo(traceparent="00-abc-def-01"), echo("/c/x", traceparent=context())), Verdict.FAILED),
        (onward(echo(), echo("/c/x")), Verdict.NOT_RUN),
        (onward(echo(), echo("/c/x", traceparent=context())), Verdict.NOT_RUN),
        (onward(echo(traceparent=context()), RBAC), Verdict.NOT_RUN),
        (onward(echo(traceparent=context()), None), Verdict.NOT_RUN),
        (echo(traceparent=context()), Verdict.NOT_RUN),
        (UNHEALTHY, Verdict.NOT_RUN),
    ],
)
def test_a_trace_that_a_proxy_began_goes_on_with_a_span_for_each_hop(found: Answer, verdict: Verdict) -> None:
    assert word(Traced(way=("b", "c")), found) is verdict


def test_a_trace_that_a_proxy_began_is_seen_by_the_service_it_calls() -> None:
    assert word(Traced(way=("b",)), echo(traceparent=context())) is Verdict.PASSED
    assert word(Traced(way=("b",)), echo()) is Verdict.NOT_RUN, "nothing shows that any proxy traces"


def test_a_trace_begins_anew_at_the_edge() -> None:
    assert word(OwnTrace(forged=TRACE), echo(traceparent=context(OTHER_TRACE))) is Verdict.PASSED
    assert word(OwnTrace(forged=TRACE), echo(traceparent=context())) is Verdict.FAILED
    assert word(OwnTrace(forged=TRACE), echo()) is Verdict.NOT_RUN, "nobody traces, so nobody could have followed the client's"


def tried(count: int, instance: str = "b-v1-5d4f-x", *, failed: bool = False, status: int = 200) -> Answer:
    answer = echo(instance=instance, status=status)
    return replace(answer, body=json.dumps({**json.loads(answer.body), "tries": count, "failed": failed}))


def retried(*answers: Answer, failures: int = 0) -> Verdict:
    return word(Retried(attempts=2, failures=failures, asked=len(answers) - 1), *answers)


def test_a_call_that_always_fails_is_given_up_after_exactly_so_many_tries() -> None:
    assert retried(tried(3, failed=True), tried(3)) is Verdict.PASSED
    assert retried(tried(2, failed=True), tried(2)) is Verdict.FAILED, "tried too seldom"
    assert retried(tried(4, failed=True, status=503), tried(4)) is Verdict.FAILED, "tried too often"
    assert retried(tried(1, failed=True), tried(1)) is Verdict.FAILED, "never tried again"


def test_tries_are_counted_across_the_instances_that_they_went_to() -> None:
    assert retried(tried(2, "b-v1-5d4f-x", failed=True), tried(2, "b-v1-5d4f-x"), tried(1, "b-v1-5d4f-y")) is Verdict.PASSED
    assert retried(tried(2, "b-v1-5d4f-x", failed=True), tried(2, "b-v1-5d4f-x"), tried(2, "b-v1-5d4f-y")) is Verdict.FAILED
    assert retried(tried(2, "b-v1-5d4f-x", failed=True), tried(2, "b-v1-5d4f-x"), LIMITED) is Verdict.NOT_RUN


def test_a_call_whose_first_tries_fail_succeeds_by_a_later_one() -> None:
    assert retried(tried(3), tried(3), failures=2) is Verdict.PASSED
    assert retried(tried(2, failed=True), tried(2), failures=2) is Verdict.FAILED
    assert retried(tried(1), tried(1, "b-v1-5d4f-y"), tried(1), failures=1) is Verdict.PASSED
    assert retried(tried(3, failed=True), tried(3), failures=2) is Verdict.FAILED


def test_a_service_that_cannot_be_made_to_fail_says_nothing_about_retries() -> None:
    assert retried(echo(), echo()) is Verdict.NOT_RUN
    assert retried(Answer(status=404, body="404 page not found", connected=True)) is Verdict.NOT_RUN
    assert retried(UNHEALTHY) is Verdict.NOT_RUN


def test_a_second_answer_counts_unless_the_edge_itself_gave_it() -> None:
    first = "HTTP/1.1 200 OK\r\n\r\nhello"
    of_edge = Answer(status=200, answers=2, connected=True, body=f"{first}HTTP/1.1 404 Not Found\r\n\r\n{PAGE.format('404')}")
    of_service = replace(of_edge, body=f"{first}HTTP/1.1 200 OK\r\n\r\nsmuggled")
    assert word(Single(), of_edge, vantage=OUTSIDE) is Verdict.PASSED
    assert word(Single(), of_service, vantage=OUTSIDE) is Verdict.FAILED


def test_an_open_port_is_named() -> None:
    found = judge(probe(Closed(), OUTSIDE, ports=(1, 2)), [Answer(open_ports=(31999,))])
    assert (found.verdict, found.said) == (Verdict.FAILED, "open: 31999")
