"""`abc` as it runs while its parts are killed: with an issuer whose keys are kept for five seconds, and which probes are put to it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from cli.conformance import Subject
from conformance.cluster import Cluster
from tests.e2e.stack import Stack
from tests.systems import topology_file
from topology.derive import names
from topology.derive.probes import Admitted, Certificate, Family, Place, Probe, Refused, probes
from topology.derive.probes.layer import INSIDE
from topology.derive.probes.pods import Pods, layer_pods
from topology.derive.probes.traffic import SLOW_HEADER
from topology.model.system import Topology

ISSUER: Final = "customers"
KEY_CACHE: Final = "5s"

ENTRANCE: Final = "doors/a/GET /a/*"
NO_TOKEN: Final = "tokens/a/none"  # noqa: S105 # the id of a probe
A_TO_B: Final = "calls/a->b/GET /b/*"
B_TO_C: Final = "calls/b->c/GET /c/*"
A_TO_C: Final = "calls/a->c/none"
AT_GATEWAY: Final = "the edge's certificate at the gateway, with a token"
AT_INGRESS: Final = "the gateway's certificate at the ingress, with a token"
REVOKED: Final = "a's call of b, which was revoked"
SLOWLY: Final = "a's door, behind which an answer takes its time"
TAKES: Final = 12.0
"""Seconds: more than anything goes on by itself once it was told to stop, less than a door waits."""

EDGE: Final = layer_pods(names.EDGE_NAMESPACE, names.EDGE)
GATEWAY: Final = layer_pods(names.GATEWAY_NAMESPACE, names.GATEWAY)
INGRESS: Final = layer_pods("istio-ingress", names.INGRESS)
A: Final = Pods(namespace="abc", label=names.APP_LABEL, value="a")

AROUND: Final = frozenset({Family.EXPOSURE, Family.NETWORK, Family.ENCRYPTION, Family.CERTIFICATES})
ANYWHERE: Final = frozenset({Place.OUTSIDE, Place.NODE, Place.STRANGER, Place.UNCAPTURED})
"""Places that stay when a layer's pods go."""


@dataclass(frozen=True, kw_only=True)
class System:
    """What runs."""

    stack: Stack
    file: Path
    t: Topology
    running: Subject
    probes: tuple[Probe, ...]

    @property
    def cluster(self) -> Cluster:
        return self.running.cluster


def ways_around(known: tuple[Probe, ...]) -> list[str]:
    """Return the probes that ask for a layer past the one before it, from where nothing goes away with a layer's pods."""
    return [probe.id for probe in known if probe.family in AROUND and probe.vantage.place in ANYWHERE]


def written(file: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write `abc` with keys that are kept for a short time, and with a change."""
    found: dict[str, Any] = yaml.safe_load(topology_file("abc").read_text(encoding="utf-8"))
    found["issuers"][ISSUER]["keyCache"] = KEY_CACHE
    change(found)
    file.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    return file


def questions(t: Topology) -> tuple[Probe, ...]:
    """Return a system's probes, and four that only these tests have a use for."""
    known = probes(t)
    by_id = {probe.id: probe for probe in known}
    asked = by_id[ENTRANCE].request
    token = asked.credential
    slow = replace(asked, headers=(*asked.headers, (SLOW_HEADER, f"{TAKES:.0f}s")), seconds=2 * TAKES)

    def admitted(like: str, id_: str, certificate: Certificate) -> Probe:
        request = replace(by_id[like].request, certificate=certificate, credential=token)
        return replace(by_id[like], id=id_, request=request, expect=Admitted(service="a"))

    return (
        *known,
        admitted("certificates/pod edge/edge->gateway/no certificate", AT_GATEWAY, Certificate.EDGE),
        admitted("certificates/pod gateway/gateway->ingress of main/without token", AT_INGRESS, Certificate.GATEWAY),
        replace(by_id[A_TO_B], id=REVOKED, expect=Refused(by=INSIDE)),
        replace(by_id[ENTRANCE], id=SLOWLY, request=slow),
    )
