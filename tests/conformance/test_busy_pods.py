"""Places in pods that change while a run begins, on a real API server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance import vantages
from conformance.cluster import Cluster
from conformance.vantages import Vantages
from tests.deploy.cluster import cluster
from topology.derive.probes import Place, Pods, Vantage

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "busy", "namespace": "default", "labels": {"app": "busy"}},
    "spec": {"containers": [{"name": "service", "image": "service"}]},
}
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


@dataclass(frozen=True, kw_only=True)
class Busy(Cluster):
    """A cluster whose pod changes as soon as somebody has read it."""

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what was there before the change."""
        found = super().items(*arguments)
        self.run("annotate", "pod", "busy", f"read={len(found)}", "--overwrite")
        return found


def test_a_pod_that_has_changed_since_it_was_read_is_asked_from_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vantages, "READY", 0.5)  # no kubelet here starts a container
    with cluster(tmp_path) as tools:
        busy = Busy(kubectl=tools.kubectl()[0], kubeconfig=tools.kubeconfig, context="test")
        busy.run("create", "-f", "-", given=json.dumps(POD))
        busy.run("patch", "pod", "busy", "--subresource=status", "--type=merge", "-p", json.dumps(READY))
        Vantages(busy, "probe").open([Vantage(place=Place.POD, pods=Pods(namespace="default", label="app", value="busy"))])
        left = busy.get("pod", "busy")
    assert [added["image"] for added in left["spec"]["ephemeralContainers"]] == ["probe"]
    assert "read" in left["metadata"]["annotations"]
