"""How long until a changed rule is in force."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.bench.path.bed import NAMESPACE, PORT
from tests.bench.path.cluster import BenchError, Json, Pod
from tests.bench.path.figures import Spread

_WATCH: Final = """while :; do
  t=$EPOCHREALTIME; echo "$t $(curl -s -o /dev/null -w '%{{http_code}}' --connect-timeout 0.3 -m 1 {url})"; sleep 0.01
done"""
ADMITTED: Final = "200"
PATIENCE: Final = 60
SETTLED: Final = 20
"""So many equal answers in a row count as the change: proxies and workers take a new rule one after another."""


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Seconds from sending a change to the last answer by the old rule."""

    refusing: Spread
    allowing: Spread


@contextmanager
def answers(pod: Pod, url: str) -> Generator[Iterator[tuple[float, str]]]:
    """Ask again and again on new connections; yields times and statuses. 000 is no connection."""
    process = pod.start("bash", "-c", _WATCH.format(url=url))
    assert process.stdout is not None
    lines = (line.split() for line in process.stdout)
    try:
        yield ((float(moment), status) for moment, status in lines)
    finally:
        process.kill()
        process.wait()


def until(found: Iterator[tuple[float, str]], admitted: bool, since: float) -> float:
    """Return how many seconds after `since` the first of a row of such answers came.

    Raises:
        BenchError: none did in time.
    """
    row: list[float] = []
    for moment, status in found:
        row = [*row, moment] if (status == ADMITTED) == admitted and moment > since else []
        if len(row) == SETTLED:
            return row[0] - since
        if moment > since + PATIENCE:
            raise BenchError(f"a changed rule was not in force after {PATIENCE} s; the last answer was {status}")
    raise BenchError("the pod that asks ended")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A policy of a copied service, as it allows a call and as it refuses it."""

    api: str
    kind: str
    service: str
    allowing: Json
    refusing: Json

    def policy(self, spec: Json) -> Json:
        """Return the object."""
        return {"apiVersion": self.api, "kind": self.kind, "metadata": {"name": self.service, "namespace": NAMESPACE}, "spec": spec}


MESH: Final = Rule(
    api="security.istio.io/v1",
    kind="AuthorizationPolicy",
    service="b",
    allowing={
        "selector": {"matchLabels": {"app": "b"}},
        "action": "ALLOW",
        "rules": [{"to": [{"operation": {"methods": ["GET"], "paths": ["/b/*"]}}]}],
    },
    refusing={"selector": {"matchLabels": {"app": "b"}}, "action": "ALLOW", "rules": []},
)
NETWORK: Final = Rule(
    api="networking.k8s.io/v1",
    kind="NetworkPolicy",
    service="one",
    allowing={"podSelector": {"matchLabels": {"app": "one"}}, "policyTypes": ["Ingress"], "ingress": [{}]},
    refusing={"podSelector": {"matchLabels": {"app": "one"}}, "policyTypes": ["Ingress"]},
)


def measure(caller: Pod, rule: Rule, rounds: int) -> Delay:
    """Change a policy there and back while a pod calls the service. Afterwards it is the allowing one."""
    refusals: list[float] = []
    permissions: list[float] = []
    caller.cluster.apply([rule.policy(rule.allowing)])
    with answers(caller, f"http://{rule.service}.{NAMESPACE}.svc.cluster.local:{PORT}/b/info") as stream:
        until(stream, True, time.time())
        for _ in range(rounds):
            for spec, delays, admitted in ((rule.refusing, refusals, False), (rule.allowing, permissions, True)):
                sent = time.time()
                caller.cluster.apply([rule.policy(spec)])
                delays.append(until(stream, admitted, sent))
    return Delay(refusing=Spread.of(refusals), allowing=Spread.of(permissions))
