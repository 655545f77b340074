"""Access logs and traces: everything of audited services, of the others only what failed; never a query string or a credential."""

from collections.abc import Iterator
from typing import Any, Final

from topology.derive import names
from topology.derive.identity import gateway_labels
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.model.base import Name, ServiceName

API: Final = "telemetry.istio.io/v1"
ACCESS_LOG: Final = "access-log"
TRACES: Final = "traces"
"""Names of the providers in the mesh configuration."""

ERRORS: Final = "response.code >= 400 || response.code == 0"
"""Also what has no status: TCP, and connections that broke."""
USUAL_SAMPLING: Final = 1.0
AUDIT_SAMPLING: Final = 100.0

LOG_FORMAT: Final = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "caller": "%DOWNSTREAM_PEER_URI_SAN%",
    "callee": "%DOWNSTREAM_LOCAL_URI_SAN%",
    "subject": "%REQ(X-PERIMETER-SUBJECT)%",
    "consumer": "%REQ(X-PERIMETER-CONSUMER)%",
    "method": "%REQ(:METHOD)%",
    "authority": "%REQ(:AUTHORITY)%",
    "path": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "route": "%ROUTE_NAME%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "received_bytes": "%BYTES_RECEIVED%",
    "sent_bytes": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
}
"""Envoy's command operators by field. The path has no query, and no header that carries a credential is here."""


def mesh_wide(r: Relations, mesh: Name, *, traced: bool) -> Manifest:
    """Return what every proxy of a mesh logs and traces unless told otherwise."""
    return _telemetry("default", r.t.meshes[mesh].control_plane, None, everything=False, traced=traced)


def audited(r: Relations, mesh: Name, *, traced: bool) -> Iterator[Manifest]:
    """Yield the fuller logs of a mesh: of audited services, and of the ingress where a door leads to one."""
    t = r.t
    if any(_is_audited(r, door.service) for door in r.doors_of_mesh[mesh]):
        yield _telemetry(names.INGRESS, t.meshes[mesh].ingress, gateway_labels(names.INGRESS), everything=True, traced=traced)
    if any(_is_audited(r, bridge.target) for bridge in r.bridges_into_mesh[mesh] + r.bridges_out_of_mesh[mesh]):
        yield _telemetry(names.BRIDGE, t.meshes[mesh].bridge, gateway_labels(names.BRIDGE), everything=True, traced=traced)


def service(r: Relations, name: ServiceName, *, traced: bool) -> Manifest | None:
    """Return the fuller log of an audited service; None for any other."""
    if not r.audited(name):
        return None
    return _telemetry(name, r.t.namespace_of(name), {names.APP_LABEL: name}, everything=True, traced=traced)


def _is_audited(r: Relations, name: ServiceName) -> bool:
    if name in r.t.compositions:
        return any(r.audited(call.callee) for call in r.calls_of[name])
    return r.audited(name)


def _telemetry(name: Name, namespace: Name, pods: dict[str, str] | None, *, everything: bool, traced: bool) -> Manifest:
    logging: dict[str, Any] = {"providers": [{"name": ACCESS_LOG}]}
    if not everything:
        logging["filter"] = {"expression": ERRORS}
    spec: dict[str, Any] = {"selector": {"matchLabels": pods}} if pods else {}
    spec["accessLogging"] = [logging]
    if traced:
        sampling = AUDIT_SAMPLING if everything else USUAL_SAMPLING
        spec["tracing"] = [{"providers": [{"name": TRACES}], "randomSamplingPercentage": sampling}]
    return manifest(API, "Telemetry", name, namespace, spec)
