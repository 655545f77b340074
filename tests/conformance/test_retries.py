"""A call that is made to fail, and the instances that say afterwards how many tries they saw."""

import json
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from conformance.addressing import Addressing
from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.credentials import ApiKeys, Nobody
from conformance.curl import Shell
from conformance.outside import Address
from conformance.runner import Result, Runner
from conformance.vantages import Vantages
from conformance.verdict import Verdict
from conformance.verify import quiet
from tests.conformance.servers import shell, with_curl
from topology.derive.probes import Family, Place, Pods, Probe, Request, Retried, Stage, Vantage
from topology.derive.probes.target import At, Target

pytestmark = with_curl
CLUSTER = Cluster(kubectl="no-kubectl-here")
INSTANCES = 2


class Here(Vantages):
    """The probes' place is a shell of this machine."""

    def open(self, wanted: object) -> None:
        """Open nothing."""

    def shell(self, vantage: Vantage) -> Shell:
        """Return a shell of this machine."""
        return shell


@contextmanager
def proxied(attempts: int) -> Generator[int, None, None]:
    """Run a service of two instances behind a proxy that tries again so often; yield the proxy's port."""
    tries: Counter[tuple[str, int]] = Counter()
    turn, requests = count(), count()

    def one(headers: dict[str, str], identifier: str) -> dict[str, object]:
        instance = next(turn) % INSTANCES
        told: dict[str, object] = {
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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            identifier = f"request-{next(requests)}"
            headers = {name.lower(): value for name, value in self.headers.items()}
            found = one(headers, identifier)
            for _ in range(attempts):
                if found.get("failed"):
                    found = one(headers, identifier)
            body = json.dumps(found).encode()
            self.send_response(503 if found.get("failed") else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(port: int, expect: Retried, rule: str) -> Result:
    vantages = Here(CLUSTER, "")
    addressing = Addressing(
        public=Address(host="127.0.0.1", port=1),
        address_of=vantages.address,
        issuer=Nobody(),
        keys=ApiKeys(CLUSTER, None),
        certificates=Certificates(CLUSTER),
    )
    probe = Probe(
        id="retries",
        family=Family.RESILIENCE,
        vantage=Vantage(place=Place.POD, pods=Pods(namespace="abc", label="app", value="a")),
        target=Target(at=At.NAME, name="127.0.0.1", port=port),
        request=Request(path="/b", headers=(("x-echo-fail", rule),), spread=True),
        expect=expect,
        why="a test",
        stage=Stage.DAMAGE,
    )
    (result,) = Runner(vantages=vantages, addressing=addressing, pace=1000, tell=quiet).run([probe])
    return result


@pytest.mark.parametrize(("attempts", "verdict"), [(0, Verdict.FAILED), (1, Verdict.FAILED), (2, Verdict.PASSED), (3, Verdict.FAILED)])
def test_a_proxy_that_tries_too_often_or_too_seldom_is_noticed(attempts: int, verdict: Verdict) -> None:
    with proxied(attempts) as port:
        result = run(port, Retried(attempts=2, asked=8), "status=503")
    assert (result.verdict, result.said.split(",")[0]) == (verdict, f"{attempts + 1} tries")


@pytest.mark.parametrize(("attempts", "verdict"), [(0, Verdict.FAILED), (1, Verdict.FAILED), (2, Verdict.PASSED)])
def test_a_call_that_fails_once_at_each_instance_succeeds_in_the_end(attempts: int, verdict: Verdict) -> None:
    with proxied(attempts) as port:
        result = run(port, Retried(attempts=2, failures=1, asked=8), "times=1;status=503")
    assert result.verdict is verdict
