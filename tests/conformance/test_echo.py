"""What stands in for services, as the lab builds it: it obeys the same headers whether HTTP or gRPC is spoken.

Where the lab was never built there is none to ask; `make e2e` builds it first, and runs these tests too.
"""

import os
import secrets
import subprocess
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import curl
from conformance.answer import Answer
from conformance.curl import Sent
from conformance.outside import Address, answers
from lab import ingredients
from lab.errors import LabError
from tests.conformance.servers import shell, with_curl
from tests.ports import held_ports
from topology.derive.ingress import SAID_TO_BROWSERS
from topology.derive.probes.examples import EMPTY_MESSAGE
from topology.derive.probes.examples import request as example
from topology.derive.probes.pair import TELL
from topology.model.service import Protocol

pytestmark = with_curl
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
INSTANCE = "ledger-v1-5d4f-x"
Addresses = dict[Protocol, Address]


def program() -> Path | None:
    """Return the program, where it was built from its present sources."""
    with suppress(LabError):
        return ingredients.present().get("echo")
    return None


@pytest.fixture(scope="module")
def echo() -> Generator[Addresses]:
    built = program()
    if built is None:
        pytest.skip("the lab's services are not built from these sources: `perimeter lab start` builds them")
    with held_ports(2) as (web, rpc):
        found = {Protocol.HTTP: Address(host="127.0.0.1", port=web), Protocol.GRPC: Address(host="127.0.0.1", port=rpc)}
        process = subprocess.Popen([built, f"--port={web}", f"--grpc-port={rpc}"], env={**os.environ, "HOSTNAME": INSTANCE})
        try:
            for address in found.values():
                _until_it_listens(address)
            yield found
        finally:
            process.terminate()
            process.wait()


def _until_it_listens(address: Address) -> None:
    for _ in range(100):
        if answers(address):
            return
        time.sleep(0.05)
    pytest.fail("it does not listen")


def ask(echo: Addresses, protocol: Protocol, count: int = 1, **headers: str) -> list[Answer]:
    """Return the answers of a service of this protocol."""
    request = example(protocol, "POST", "/b.v1.B/Get")
    shown = (*request.headers, TELL, *((name.replace("_", "-"), value) for name, value in headers.items()))
    to = echo[protocol]
    sent = Sent(request=replace(request, count=count), address=to.host, port=to.port, path=request.path, headers=shown)
    return curl.run(shell, [sent], one_by_one=True)[0]


both = pytest.mark.parametrize("protocol", [Protocol.HTTP, Protocol.GRPC])


@both
def test_it_fails_as_often_as_it_is_told_and_counts(echo: Addresses, protocol: Protocol) -> None:
    identifier = secrets.token_hex()
    failing = ask(echo, protocol, 3, x_request_id=identifier, x_echo_fail="times=2;grpc-status=14")
    echoes = [answer.echo() for answer in failing]
    assert [(one.instance, one.tries, one.failed) for one in echoes if one] == [
        (INSTANCE, 1, True),
        (INSTANCE, 2, True),
        (INSTANCE, 3, False),
    ]
    assert [answer.header("grpc-status") == "14" for answer in failing] == [True, True, False]
    (later,) = ask(echo, protocol, x_echo_tries=identifier)
    assert (found := later.echo()) is not None
    assert (found.tries, found.failed) == (3, False)


@both
def test_it_fails_always_where_no_number_is_named(echo: Addresses, protocol: Protocol) -> None:
    found = ask(echo, protocol, 3, x_request_id=secrets.token_hex(), x_echo_fail="grpc-status=8")
    assert [answer.header("grpc-status") for answer in found] == ["8"] * 3


@both
def test_it_says_what_it_received(echo: Addresses, protocol: Protocol) -> None:
    (answer,) = ask(echo, protocol, x_request_id="mine")
    assert (found := answer.echo()) is not None
    assert (found.method, found.path, found.values("x-request-id")) == ("POST", "/b.v1.B/Get", ["mine"])


def test_it_speaks_to_browsers_only_where_it_is_told_to_and_says_so(echo: Addresses) -> None:
    (spoken,) = ask(echo, Protocol.HTTP, x_echo_cors="https://pages.example")
    assert (found := spoken.echo()) is not None
    assert {name for name, _ in found.said} == {*SAID_TO_BROWSERS}, "everything that is taken out at the ingress"
    assert {*found.said} == {pair for pair in spoken.headers if pair[0].startswith("access-control-")}
    assert spoken.header("access-control-allow-origin") == "https://pages.example"
    (silent,) = ask(echo, Protocol.HTTP)
    assert not any(name.startswith("access-control-") for name, _ in silent.headers)


@both
def test_it_is_as_slow_as_it_is_told(echo: Addresses, protocol: Protocol) -> None:
    (answer,) = ask(echo, protocol, x_echo_delay="300ms")
    assert answer.seconds >= 0.3


@pytest.mark.parametrize("next_protocol", [Protocol.HTTP, Protocol.GRPC])
@both
def test_it_calls_on_in_the_trace_it_was_asked_in(echo: Addresses, protocol: Protocol, next_protocol: Protocol) -> None:
    scheme, to = {Protocol.HTTP: "http", Protocol.GRPC: "grpc"}[next_protocol], echo[next_protocol]
    (answer,) = ask(echo, protocol, x_echo_next=f"POST {scheme}://{to.host}:{to.port}/c.v1.C/Get", traceparent=TRACEPARENT)
    first, second = (found.echo() for found in answer.way())
    assert first is not None
    assert second is not None
    assert (first.path, second.path) == ("/b.v1.B/Get", "/c.v1.C/Get")
    assert first.values("traceparent") == second.values("traceparent") == [TRACEPARENT]


@pytest.mark.parametrize("scheme", ["http", "grpc"])
@both
def test_it_says_that_nobody_answered_its_call(echo: Addresses, protocol: Protocol, scheme: str) -> None:
    with held_ports(1) as (free,):
        (answer,) = ask(echo, protocol, x_echo_next=f"POST {scheme}://127.0.0.1:{free}/c.v1.C/Get")
        _, second = answer.way()
    assert second.status == 0
    assert second.error


def test_a_call_of_grpc_that_tells_nothing_has_its_status(echo: Addresses) -> None:
    to = echo[Protocol.GRPC]
    (answer,) = ask(echo, Protocol.HTTP, x_echo_next=f"POST grpc://{to.host}:{to.port}/grpc.health.v1.Health/Check")
    _, second = answer.way()
    assert (second.status, second.header("grpc-status"), second.echo()) == (200, "0", None)


def test_a_failure_of_grpc_is_one_frame_and_a_success_has_the_message(echo: Addresses) -> None:
    failing, *_ = ask(echo, Protocol.GRPC, 2, x_request_id=secrets.token_hex(), x_echo_fail="grpc-status=14")
    (sound,) = ask(echo, Protocol.GRPC)
    assert (failing.status, failing.header("grpc-status"), failing.body) == (200, "14", "")
    assert (sound.header("grpc-status"), sound.body) == ("0", EMPTY_MESSAGE)


def test_a_service_of_grpc_says_nothing_unasked(echo: Addresses) -> None:
    request = example(Protocol.GRPC, "POST", "/b.v1.B/Get")
    to = echo[Protocol.GRPC]
    ((answer,),) = curl.run(shell, [Sent(request=request, address=to.host, port=to.port, path=request.path, headers=request.headers)])
    assert answer.echo() is None
