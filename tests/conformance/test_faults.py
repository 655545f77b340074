"""Calls that should be spared a delay: a fault holds them back every time, a machine under load for a while."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from conformance import runner
from conformance.addressing import Addressing
from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.credentials import ApiKeys, Nobody
from conformance.curl import Shell
from conformance.outside import Address
from conformance.runner import Runner
from conformance.vantages import Vantages
from conformance.verdict import Verdict
from conformance.verify import quiet
from tests.conformance.servers import shell, with_curl
from topology.derive.probes import Family, Place, Pods, Probe, Request, Spared, Vantage
from topology.derive.probes.target import At, Target

pytestmark = with_curl
CLUSTER = Cluster(kubectl="no-kubectl-here")
CALLS = 8
DELAY = 0.5


class Here(Vantages):
    """The probes' place is a shell of this machine."""

    def open(self, wanted: object) -> None:
        """Open nothing."""

    def shell(self, vantage: Vantage) -> Shell:
        """Return a shell of this machine."""
        return shell


@contextmanager
def holding_back(calls: float) -> Generator[int, None, None]:
    """Run a service whose first calls, so many of them, are held back; yield its port."""
    made = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if next(made) < calls:
                time.sleep(DELAY)
            body = json.dumps({"service": "b-v1-5d4", "method": "GET", "path": self.path, "headers": {}}).encode()
            self.send_response(200)
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


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [(0, Verdict.PASSED), (CALLS, Verdict.PASSED), (float("inf"), Verdict.FAILED)],
    ids=["none", "for-a-while", "always"],
)
def test_a_delay_that_stays_is_a_fault_and_one_that_passes_is_not(calls: float, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PAUSES", (0.0, 0.0))
    vantages = Here(CLUSTER, "")
    with holding_back(calls) as port:
        addressing = Addressing(
            public=Address(host="127.0.0.1", port=1),
            address_of=vantages.address,
            issuer=Nobody(),
            keys=ApiKeys(CLUSTER, None),
            certificates=Certificates(CLUSTER),
        )
        probe = Probe(
            id="unnamed",
            family=Family.FAULTS,
            vantage=Vantage(place=Place.POD, pods=Pods(namespace="abc", label="app", value="a")),
            target=Target(at=At.NAME, name="127.0.0.1", port=port),
            request=Request(path="/b", count=CALLS),
            expect=Spared(percent=100, delay=DELAY),
            why="a test",
        )
        (result,) = Runner(vantages=vantages, addressing=addressing, pace=1000, tell=quiet).run([probe])
    assert result.verdict is verdict, result.said
