"""One curl for many requests: what is sent is what was written, and each answer comes back to its request."""

import re
from pathlib import Path

import pytest

from conformance import curl
from conformance.curl import Sent
from tests.conformance.servers import running, shell, with_curl
from topology.derive.probes import Request, Scheme

pytestmark = with_curl


def sent(port: int, path: str, scheme: Scheme = Scheme.HTTPS, count: int = 1, **headers: str) -> Sent:
    request = Request(path=path, scheme=scheme, host="api.example", count=count, seconds=10)
    return Sent(request=request, address="127.0.0.1", port=port, path=path, headers=tuple(headers.items()))


def test_each_answer_comes_back_to_its_request(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        port = system.address.port
        answers = curl.run(shell, [sent(port, "/open/1", probe='a "quoted" \\ value'), sent(port, "/token"), sent(port, "/none")])
    assert [found[0].status for found in answers] == [200, 401, 404]
    echo = answers[0][0].echo()
    assert echo is not None
    assert (echo.path, echo.values("probe"), echo.values("host")) == ("/open/1", ['a "quoted" \\ value'], ["api.example"])
    assert answers[1][0].body == "Jwt is missing"


@pytest.mark.parametrize(
    "path", ["/open/../x", "/open//x", "/open/%2e%2e/x", "/open/a\\..\\x", "/open/{a}[1-3]", "/open/x#y", "/open/;a=b"]
)
def test_a_path_is_sent_as_it_was_written(path: str, tmp_path: Path) -> None:
    with running(tmp_path) as system:
        curl.run(shell, [sent(system.address.port, path)])
    assert system.paths == [path]


def test_a_request_that_is_sent_often_has_as_many_answers(tmp_path: Path) -> None:
    with running(tmp_path, limit=30) as system:
        (answers,) = curl.run(shell, [sent(system.address.port, "/open/x", count=50)])
    assert sorted(answer.status for answer in answers) == [200] * 30 + [429] * 20
    assert all(answer.echo() for answer in answers if answer.status == 200)
    assert all(answer.header("content-length") == str(len(answer.body)) for answer in answers), "each has headers of its own"


OFTEN = Sent(request=Request(path="/", scheme=Scheme.HTTP, host="api.example", count=2), address="192.0.2.1", port=80, path="/", headers=())


@pytest.mark.parametrize(
    ("status", "lines", "written", "unread"),
    [
        ("", 2, '{"server":["envoy"],"vary":["a"]}', False),
        ("", 3, '{"vary":["a","b"]}', True),
        ("14", 2, '{"grpc-status":["14"],"server":["envoy"]}', False),
        ("14", 1, '{"server":["envoy"]}', True),
        ("0", 1, '{"server":["envoy"],"grpc-status":["0"]}', False),
        ("", 2, "{}", True),
        ("%header{grpc-status}", 2, "%{header_json}", True),
    ],
    ids=["all", "fewer", "refused", "without-its-status", "with-trailers", "none", "unknown-to-curl"],
)
def test_of_many_answers_one_whose_headers_are_not_all_said_is_not_taken_for_one_without(
    status: str, lines: int, written: str, unread: bool
) -> None:
    def old_curl(script: str) -> str:
        mark = re.search(r"^cat > config <<'(\w+)'$", script, re.MULTILINE)
        assert mark is not None
        return f"{mark[1]} 0 200 0 0.001 0.002 {lines} b0_1 \n{status}\n{written}\n"

    (answers,) = curl.run(old_curl, [OFTEN])
    assert [answer.unread for answer in answers] == [unread]


def test_a_port_without_a_listener_is_no_connection_and_one_that_speaks_otherwise_is_one() -> None:
    (nobody,) = curl.run(shell, [sent(1, "/")])
    assert (nobody[0].status, nobody[0].connected) == (0, False)


def test_a_server_that_breaks_off_was_connected(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        (broken,) = curl.run(
            shell, [Sent(request=Request(scheme=Scheme.HTTP), address="127.0.0.1", port=system.address.port, path="/", headers=())]
        )
    assert (broken[0].status, broken[0].connected) == (0, True)


def test_no_requests_need_no_shell() -> None:
    assert curl.run(lambda _: pytest.fail("nothing was to be run"), []) == []


def test_a_request_that_curl_says_nothing_about_has_an_answer_that_says_so() -> None:
    (answers,) = curl.run(lambda _: "", [sent(1, "/")])
    assert answers[0].error == "curl said nothing about it"
