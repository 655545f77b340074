"""A client outside sends bytes as they are."""

import socket
from pathlib import Path

from conformance import outside
from conformance.curl import Sent
from tests.conformance.servers import System, running
from topology.derive.probes import Request, Scheme


def sent(system: System, path: str = "/open/x", scheme: Scheme = Scheme.HTTPS, **more: object) -> Sent:
    request = Request(path=path, scheme=scheme, host="api.example", **more)  # type: ignore[arg-type] # fields by name
    return Sent(
        request=request, address=system.address.host, port=system.address.port, path=path, headers=(("x-twice", "1"), ("x-twice", "2"))
    )


def test_the_path_is_not_tidied_up(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        answer = outside.send(sent(system, "/open/..%2f..//x\\y"))
    assert answer.status == 200
    assert system.paths == ["/open/..%2f..//x\\y"]


def test_nobody_there_is_no_connection_and_plaintext_to_tls_is_one_without_answer(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        plain = outside.send(sent(system, scheme=Scheme.HTTP, seconds=2.0))
    gone = outside.send(sent(system, seconds=1.0))
    assert (plain.status, plain.connected) == (0, True)
    assert (gone.status, gone.connected) == (0, False)


def test_a_burst_has_an_answer_for_each_request(tmp_path: Path) -> None:
    with running(tmp_path, limit=25) as system:
        answers = outside.burst(sent(system, count=61))
    assert sorted(answer.status for answer in answers) == [200] * 25 + [429] * 36


def test_raw_bytes_are_filled_in_and_their_answers_counted(tmp_path: Path) -> None:
    raw = "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{credential}\r\nGET /token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    with running(tmp_path) as system:
        answer = outside.send(sent(system, scheme=Scheme.RAW, raw=raw, seconds=2.0))
    assert (answer.answers, answer.status) == (2, 200)
    assert system.paths == ["/open/x", "/token"]


def test_a_scan_finds_what_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert outside.scan("127.0.0.1", (1, port), 1.0).open_ports == (port,)


def test_a_body_comes_with_its_length_and_a_header_of_the_probe_replaces_the_usual_one() -> None:
    request = Request(method="POST", host="h", body="{}")
    message = outside.message(Sent(request=request, address="", port=0, path="/p", headers=(("User-Agent", "sqlmap"),))).decode()
    assert message.startswith("POST /p HTTP/1.1\r\nHost: h\r\n")
    assert "perimeter-verify" not in message
    assert message.endswith("content-length: 2\r\n\r\n{}")
