"""Why the sidecar of a stranger is not ready, by what it says itself: a slow machine refuses nobody.

The agent in the sidecar logs why it has no certificate and no configuration. Sources: Istio `security/pkg/nodeagent/caclient` (`failed to sign
CSR: create certificate: rpc error: code = ...`), `security/pkg/server/ca` (`Unauthenticated`, `PermissionDenied`), `pkg/istio-agent/xds_proxy.go`
(`failed to create upstream grpc client: ...`, at level debug; `connected to upstream XDS server`), and gRPC's and Go's words in them
(`transport: Error while dialing: dial tcp 10.96.0.9:15012: i/o timeout`), after twenty seconds where packets are dropped.
https://istio.io/latest/docs/ops/common-problems/network-issues/
"""

import re
from typing import Final

from topology.derive import names

LOG_LEVEL: Final = {"sidecar.istio.io/agentLogLevel": "default:info,xdsproxy:debug"}
"""Annotation of a pod whose agent is to say at its first try why it does not reach the control plane.
https://istio.io/latest/docs/reference/config/annotations/"""
CONNECTED: Final = "connected to upstream XDS server"
DENIED: Final = re.compile(r"code = (?:PermissionDenied|Unauthenticated)\b")
UNREACHED: Final = re.compile(rf"dial tcp [\d.:a-f\[\]]+:{names.ISTIOD_XDS_PORT}: (?:i/o timeout|connect: )")
"""An address was known and no connection came about; a name that is not resolved is no refusal."""


def refusal(log: str) -> str:
    """Return how a sidecar was refused, empty where its log does not tell."""
    if DENIED.search(log):
        return "no sidecar of a stranger comes to life: the control plane denies it a certificate"
    if UNREACHED.search(log) and CONNECTED not in log:
        return "no sidecar of a stranger comes to life: the network keeps it from the control plane"
    return ""


def last_words(log: str) -> str:
    """Return what a sidecar said last."""
    lines = [line for line in log.splitlines() if line.strip()]
    return " ".join(lines[-1].split())[-200:] if lines else "it has no log"
