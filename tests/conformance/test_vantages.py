"""Strangers who get no identity: refused by somebody who says so, or not asked at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from conformance import sidecar, vantages
from conformance.cluster import Cluster
from conformance.errors import NoIdentityError, NotRunError
from conformance.vantages import Vantages
from topology.derive.probes import Place, Vantage

MEMBER = Vantage(place=Place.MEMBER, mesh="main")
DIAL = 'connection error: desc = "transport: Error while dialing: dial tcp'
DROPPED = (
    f"debug\txdsproxy\tfailed to create upstream grpc client: rpc error: code = Unavailable desc = {DIAL} 10.96.0.9:15012: i/o timeout"
)
REJECTED = (
    f"warn\tsds\tfailed to warm certificate: rpc error: code = Unavailable desc = {DIAL} 10.96.0.9:15012: connect: connection refused"
)
DENIED = (
    "error\tcitadelclient\tfailed to sign CSR: create certificate: rpc error: code = Unauthenticated desc = request authenticate failure"
)
SILENT = "info\tEnvoy command: [-c etc/istio/proxy/envoy-rev.json]\ninfo\txdsproxy\tInitializing with upstream address istiod-main.istio-system.svc:15012"
NAMELESS = f"error\tcache\tfailed to sign: create certificate: rpc error: code = Unavailable desc = {DIAL}: lookup istiod-main on 10.96.0.10:53: i/o timeout"
LATE = f"{REJECTED}\ninfo\txdsproxy\t{sidecar.CONNECTED}: istiod-main.istio-system.svc:15012"
SLOW = "error\tcache\tfailed to sign: create certificate: rpc error: code = DeadlineExceeded desc = context deadline exceeded"

KUBECTL = """#!/bin/sh
case "$1" in
  get) sed "s/NAMESPACE/$(cat {here}/namespace)/" {here}/pods.json ;;
  create) sed -n 's/.*"namespace": "\\(perimeter-probe-[^"]*\\)".*/\\1/p' > {here}/made; test -s {here}/made && mv {here}/made {here}/namespace; true ;;
  logs) cat {here}/log ;;
esac
"""


def opened(here: Path, log: str, monkeypatch: pytest.MonkeyPatch, *, proxy_runs: bool = True) -> Vantages:
    """Return the places of a cluster, told by a stand-in for kubectl, in which a stranger's sidecar runs and does not get ready."""
    state: dict[str, Any] = {"running": {}} if proxy_runs else {"waiting": {"reason": "PodInitializing"}}
    status: dict[str, Any] = {
        "initContainerStatuses": [{"name": vantages.PROXY, "ready": False, "state": state}],
        "containerStatuses": [{"name": "probe", "ready": False, "state": {"waiting": {"reason": "PodInitializing"}}}],
    }
    pod = {"metadata": {"namespace": "NAMESPACE", "name": "member"}, "status": status}
    (here / "pods.json").write_text(json.dumps({"items": [pod]}), encoding="utf-8")
    (here / "namespace").write_text("none", encoding="utf-8")
    (here / "log").write_text(log, encoding="utf-8")
    kubectl = here / "kubectl"
    kubectl.write_text(KUBECTL.format(here=here), encoding="utf-8")
    kubectl.chmod(0o755)
    monkeypatch.setattr(vantages, "READY_PROXY", 0.0)
    monkeypatch.setattr(vantages, "READY", 0.5)
    found = Vantages(Cluster(kubectl=str(kubectl)), "image")
    found.open([MEMBER])
    return found


@pytest.mark.parametrize(
    ("log", "why"), [(DROPPED, "the network keeps it"), (REJECTED, "the network keeps it"), (DENIED, "denies it a certificate")]
)
def test_a_stranger_is_refused_an_identity_where_its_sidecar_says_so(
    log: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoIdentityError, match=why):
        opened(tmp_path, f"{SILENT}\n{log}\n{SILENT}", monkeypatch).shell(MEMBER)


@pytest.mark.parametrize("log", ["", SILENT, NAMELESS, LATE, SLOW], ids=["nothing", "no try", "no name", "connected", "too slow"])
def test_a_sidecar_that_is_slow_was_refused_by_nobody(log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotRunError, match=r"does not say that anybody refused it \(.+\)") as found:
        opened(tmp_path, log, monkeypatch).shell(MEMBER)
    assert not isinstance(found.value, NoIdentityError)


def test_a_sidecar_that_was_not_even_started_was_refused_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotRunError, match="PodInitializing") as found:
        opened(tmp_path, DROPPED, monkeypatch, proxy_runs=False).shell(MEMBER)
    assert not isinstance(found.value, NoIdentityError)
