"""What a setting that we ship is worth: the same path with it and with another value, in turn, on the running system."""

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

from tests.bench.path.bed import NAMESPACE
from tests.bench.path.cluster import BenchError, Cluster, Json
from tests.bench.path.figures import Spread
from tests.bench.path.load import Sample

SPREADING: Final = 4.0
"""Seconds in which every proxy has a changed object, a multiple of what docs/performance.md says of it."""


ROUNDS: Final = 2
"""At most so many: each restarts what reads its settings only once, twice."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting, as it is shipped and as it might be."""

    shipped: str
    other: str
    path: str
    """The path on which it works, as `ORDER` names it."""
    kind: str
    namespace: str
    name: str
    patch: Callable[[Json], Json]
    """Returns the JSON merge patch (RFC 7386) that makes the object the other one."""
    restarts: str = ""
    """The Deployment of that namespace that reads the object only when it starts."""
    stays: str = ""
    """Why it stays as it is shipped, where the other value may be faster."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """How the other value compares, round by round."""

    setting: Setting
    latency: Spread
    """Milliseconds of the median more than as shipped."""
    rate: Spread
    """Throughput as a part of what it is as shipped."""


def replaced(file: str, *changes: tuple[str, str]) -> Callable[[Json], Json]:
    """Return the patch that changes text in a file of a ConfigMap.

    Raises:
        BenchError: by the patch, where the text does not stand there.
    """

    def patch(found: Json) -> Json:
        text: str = found["data"][file]
        for old, new in changes:
            if old not in text:
                raise BenchError(f"{file} has no {old!r}: the setting that is measured is no longer shipped")
            text = text.replace(old, new)
        return {"data": {file: text}}

    return patch


def fixed(patch: Json) -> Callable[[Json], Json]:
    """Return a patch that does not depend on what is there."""
    return lambda _: patch


_EDGE: Final[dict[str, str]] = {
    "path": "+ WAF (the whole path)",
    "kind": "configmap",
    "namespace": "edge",
    "name": "edge",
    "restarts": "edge",
}
_CALLER: Final = "+ sidecar of the caller (service to service)"

SETTINGS: Final = (
    Setting(shipped="nginx keeps 64 connections to the gateway", other="one for each request", **_EDGE, patch=replaced("nginx.conf", ("keepalive 64;", ""))),
    Setting(
        shipped="nginx resumes TLS sessions, connections kept",
        other="neither",
        **_EDGE,
        patch=replaced("nginx.conf", ("keepalive 64;", ""), ("proxy_ssl_session_reuse on;", "proxy_ssl_session_reuse off;")),
    ),
    Setting(shipped="2 nginx workers", other="1", **_EDGE, patch=replaced("nginx.conf", ("worker_processes 2;", "worker_processes 1;"))),
    Setting(
        shipped="a line of log for each request at the edge",
        other="none",
        **_EDGE,
        patch=replaced("nginx.conf", ("access_log /dev/stdout requests;", "access_log off;")),
        stays="whoever came in, and what he was told, has to be known afterwards (rule W04)",
    ),
    Setting(
        shipped="ModSecurity with the core rule set",
        other="nginx without ModSecurity",
        stays="it is the firewall (rule W01)",
        **_EDGE,
        patch=replaced("nginx.conf", ("modsecurity on;", "modsecurity off;")),
    ),
    Setting(
        shipped="proxies log refusals and errors",
        other="every call",
        path=_CALLER,
        kind="telemetry.telemetry.istio.io",
        namespace="istio-system",
        name="default",
        patch=fixed({"spec": {"accessLogging": [{"providers": [{"name": "access-log"}]}]}}),
    ),
    Setting(
        shipped="HTTP/1.1 between sidecars, as the caller speaks",
        other="HTTP/2 (`h2UpgradePolicy`)",
        path=_CALLER,
        kind="destinationrule.networking.istio.io",
        namespace=NAMESPACE,
        name="b",
        patch=fixed({"spec": {"trafficPolicy": {"connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}}}}}),
        stays="a service is guarded by how many connections callers open to it (`maxConnections`), and over HTTP/2 one connection carries every request; "
        "Istio does not yet bound those in a connection that it has upgraded (istio/istio#57583, open)",
    ),
    Setting(
        shipped="threads of a sidecar by its CPU limit (`concurrency`)",
        other="1",
        path="+ sidecar of the service",
        kind="deployment",
        namespace=NAMESPACE,
        name="one-v1",
        patch=fixed({"spec": {"template": {"metadata": {"annotations": {"proxy.istio.io/config": "concurrency: 1"}}}}}),
        restarts="one-v1",
        stays="what it gives is less than what rounds differ by",
    ),
)  # fmt: skip
"""What can be tuned without giving up a boundary, and the firewall for comparison."""


def inverse(patch: Json, found: Json) -> Json:
    """Return the merge patch that takes another back."""
    undone: Json = {}
    for key, value in patch.items():
        before = found.get(key)
        undone[key] = inverse(cast("Json", value), cast("Json", before)) if isinstance(value, dict) and before is not None else before
    return undone


@contextmanager
def changed(cluster: Cluster, setting: Setting) -> Generator[None]:
    """Let the other value hold for a while."""
    found = cluster.get(setting.kind, setting.name, setting.namespace)
    patch = setting.patch(found)
    try:
        _bring(cluster, setting, patch)
        yield
    finally:
        _bring(cluster, setting, inverse(patch, found))


def _bring(cluster: Cluster, setting: Setting, patch: Json) -> None:
    where = ("-n", setting.namespace)
    cluster.ask("patch", setting.kind, setting.name, *where, "--type=merge", "-p", json.dumps(patch))
    if setting.restarts:
        if setting.kind != "deployment":
            cluster.ask("rollout", "restart", f"deployment/{setting.restarts}", *where)
        cluster.ask("rollout", "status", f"deployment/{setting.restarts}", *where, "--timeout=180s")
    time.sleep(SPREADING)


def measure(cluster: Cluster, setting: Setting, sample: Callable[[], tuple[Sample, Sample]], rounds: int) -> Worth:
    """Return what a setting is worth.

    Args:
        cluster: where it is changed, and changed back.
        setting: which one.
        sample: measures the setting's path: at a fixed rate, and at full load.
        rounds: how often; each measures as shipped and otherwise.
    """
    latency: list[float] = []
    rate: list[float] = []
    for _ in range(rounds):
        slow, fast = sample()
        with changed(cluster, setting):
            other_slow, other_fast = sample()
        latency.append(other_slow.milliseconds[50] - slow.milliseconds[50])
        rate.append(other_fast.rate / fast.rate)
    return Worth(setting=setting, latency=Spread.of(latency), rate=Spread.of(rate))


def rows(found: Sequence[Worth]) -> list[list[str]]:
    """Return the table's rows."""
    return [[one.setting.shipped, one.setting.other, one.latency.text(), one.rate.text()] for one in found]


def reasons(found: Sequence[Worth]) -> list[str]:
    """Return why settings stay whose other value may be faster."""
    return [f"* {one.setting.shipped}: {one.setting.stays}." for one in found if one.setting.stays]
