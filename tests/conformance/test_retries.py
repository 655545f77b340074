"""A call that is made to fail, and the instances that say afterwards how many tries they saw: over HTTP and over gRPC."""

import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from conformance.runner import Result
from conformance.verdict import Verdict
from tests.conformance import http2_servers
from tests.conformance.http2_servers import Asked
from tests.conformance.servers import Quiet, asked_here, probe_of, serving, with_curl
from topology.derive.probes import Family, Request, Retried, Stage
from topology.derive.probes.examples import request as example
from topology.derive.probes.pair import TELL
from topology.model.service import Protocol

pytestmark = with_curl
INSTANCES = 2

Told = dict[str, object]
Headers = dict[str, str]


def tried_again(attempts: int) -> Callable[[Headers], Told]:
    """Return a service of two instances behind a proxy that tries again so often: what its last try says."""
    tries: Counter[tuple[str, int]] = Counter()
    turn, requests = count(), count()

    def one(headers: Headers, identifier: str) -> Told:
        instance = next(turn) % INSTANCES
        told: Told = {
            "service": f"b-v1-5d4-{instance}",
            "method": "GET",
            "path": "/b",
            "headers": {"x-request-id": identifier},
        }
        rule = headers.get("x-echo-fail")
        if rule is None:
            return {**told, "tries": tries[headers.get("x-echo-tries", ""), instance]}
        tries[identifier, instance] += 1
        times = dict(part.split("=") for part in rule.split(";")).get("times")
        return {**told, "tries": tries[identifier, instance], "failed": times is None or tries[identifier, instance] <= int(times)}

    def last(headers: Headers) -> Told:
        identifier = f"request-{next(requests)}"
        found = one(headers, identifier)
        for _ in range(attempts):
            if found.get("failed"):
                found = one(headers, identifier)
        return found

    return last


@contextmanager
def over_http(attempts: int, _folder: Path) -> Generator[tuple[int, Request]]:
    """Run such a service; yield the proxy's port and what it is asked."""
    last = tried_again(attempts)

    class Handler(Quiet):
        def do_GET(self) -> None:
            found = last({name.lower(): value for name, value in self.headers.items()})
            self.answer(503 if found.get("failed") else 200, json.dumps(found))

    with serving(Handler) as port:
        yield port, Request(path="/b")


@contextmanager
def over_grpc(attempts: int, folder: Path) -> Generator[tuple[int, Request]]:
    """Run such a service that answers every call with the status 200 of HTTP."""
    last = tried_again(attempts)

    def behaviour(asked: Asked) -> list[http2_servers.Frame]:
        found = last(dict(asked.fields))
        return http2_servers.rpc_answer(asked, 14 if found.get("failed") else 0, json.dumps(found))

    with http2_servers.running(folder, behaviour) as server:
        asked = example(Protocol.GRPC, "POST", "/b.v1.B/Get")
        yield server.address.port, replace(asked, host="b.example", headers=(*asked.headers, TELL))


Place = Callable[[int, Path], AbstractContextManager[tuple[int, Request]]]
both = pytest.mark.parametrize("proxied", [over_http, over_grpc])


def run(place: tuple[int, Request], expect: Retried, rule: str) -> Result:
    port, request = place
    request = replace(request, headers=(*request.headers, ("x-echo-fail", rule)), spread=True)
    return asked_here(probe_of(port, Family.RESILIENCE, expect, request, Stage.DAMAGE))


@both
@pytest.mark.parametrize(("attempts", "verdict"), [(0, Verdict.FAILED), (1, Verdict.FAILED), (2, Verdict.PASSED), (3, Verdict.FAILED)])
def test_a_proxy_that_tries_too_often_or_too_seldom_is_noticed(proxied: Place, attempts: int, verdict: Verdict, tmp_path: Path) -> None:
    with proxied(attempts, tmp_path) as place:
        result = run(place, Retried(attempts=2, asked=8), "status=503")
    assert (result.verdict, result.said.split(",")[0]) == (verdict, f"{attempts + 1} tries")


@both
@pytest.mark.parametrize(("attempts", "verdict"), [(0, Verdict.FAILED), (1, Verdict.FAILED), (2, Verdict.PASSED)])
def test_a_call_that_fails_once_at_each_instance_succeeds_in_the_end(
    proxied: Place, attempts: int, verdict: Verdict, tmp_path: Path
) -> None:
    with proxied(attempts, tmp_path) as place:
        result = run(place, Retried(attempts=2, failures=1, asked=8), "times=1;status=503")
    assert result.verdict is verdict
