"""Malformed requests in frames of HTTP/2, as `perimeter verify` sends them, to the edge as it runs: real nginx, real rule set."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance import http2
from conformance.answer import Answer
from conformance.curl import Sent
from conformance.verdict import Verdict, judge
from tests.components.edge import nginx_here
from tests.components.edge.nginx_here import Edge
from tests.components.edge.systems import HOST, system
from topology.derive.probes import Probe
from topology.derive.probes.http2 import MALFORMED, malformed

pytestmark = [pytest.mark.skipif(bool(nginx_here.missing()), reason=nginx_here.missing()), pytest.mark.xdist_group("nginx")]

TAKEN = {"h2-connection", "h2-pseudo-late"}
"""What nginx mends."""


@pytest.fixture(scope="module", params=["GET", "POST"])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, dict[str, Probe]]]:
    """Yield the running edge of a system whose one door takes a method, and the probes of that system."""
    t = system({"files": {"paths": ["/files/*"], "methods": [request.param], "maxBody": "2Ki"}})
    with nginx_here.running(t, tmp_path_factory.mktemp("edge")) as edge:
        yield edge, {probe.id.rsplit("/", 1)[1]: probe for probe in malformed(t)}


def send(edge: Edge, probe: Probe) -> list[Answer]:
    """Send a probe, and have the stand-in's answers say what it received as services do."""
    request = probe.request
    assert request.host == HOST
    found = http2.send(Sent(request=request, address="127.0.0.1", port=edge.port, path=request.path, headers=request.headers))
    return [replace(answer, body=_as_echo(answer.body)) if answer.status == 200 else answer for answer in found]


def _as_echo(body: str) -> str:
    received = json.loads(body)
    return json.dumps({**received, "headers": dict(received["headers"])})


def test_a_well_formed_request_is_let_in(asked: tuple[Edge, dict[str, Probe]]) -> None:
    edge, probes = asked
    before = len(edge.gateway.seen)
    assert judge(probes["h2"], send(edge, probes["h2"])).verdict is Verdict.PASSED
    assert len(edge.gateway.seen) == before + 2


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_or_is_one_request_at_the_gateway(asked: tuple[Edge, dict[str, Probe]], name: str) -> None:
    edge, probes = asked
    before = len(edge.gateway.seen)
    found = judge(probes[name], send(edge, probes[name]))
    *of_it, after = edge.gateway.seen[before:]
    assert found.verdict is Verdict.PASSED, found.said
    assert len(of_it) == (1 if name in TAKEN else 0)
    assert "perimeter-smuggled" not in json.dumps([*of_it, after])
    assert all((seen["method"], seen["path"]) == (probes[name].request.method, probes[name].request.path) for seen in (*of_it, after))
