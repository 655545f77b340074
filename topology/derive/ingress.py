"""The door of a mesh: one TLS server that accepts the gateway's certificate alone, and a route for each door of the system."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from topology.derive import names, traffic
from topology.derive.identity import gateway_labels
from topology.derive.manifest import Manifest, manifest
from topology.derive.operations import routed_path, specificity
from topology.derive.relations import Relations
from topology.model.base import HostName, Name
from topology.model.door import ApiKeyAuth, Door, JwtAuth
from topology.model.system import Topology

MINIMUM_TLS: Final = "TLSV1_2"
SAID_TO_BROWSERS: Final = tuple(
    f"access-control-{name}"
    for name in (
        "allow-origin",
        "allow-credentials",
        "expose-headers",
        "allow-methods",
        "allow-headers",
        "allow-private-network",
        "max-age",
    )
)
"""Headers of answers by which browsers learn whose scripts may read them (Fetch, 3.2.3). The API gateway alone says that: what a service
says of it ends here, at doors without `cors` too."""


def mesh_gateway_service(role: Name, namespace: Name) -> Manifest:
    """Return the ClusterIP Service of one of a mesh's own gateways. The chart's own Service, public by default, is left out."""
    port = {
        "name": names.HTTPS_PORT_NAME,
        "port": names.HTTPS_PORT,
        "targetPort": names.MESH_GATEWAY_POD_PORT,
        "protocol": "TCP",
        "appProtocol": "https",
    }
    spec = {"type": "ClusterIP", "selector": gateway_labels(role), "ports": [port]}
    return manifest("v1", "Service", role, namespace, spec, labels=gateway_labels(role))


def load_balancer(namespace: Name, annotations: Mapping[str, str], callers: Iterable[str]) -> Manifest:
    """Return the Service of a mesh's ingress for a gateway outside the cluster; `callers` are the only address ranges that reach it.

    The annotations make the load balancer private. With traffic policy `Local` callers keep their addresses, by which the ingress's
    NetworkPolicy tells them.
    """
    service = mesh_gateway_service(names.INGRESS, namespace)
    service["metadata"]["annotations"] = dict(annotations)
    service["spec"] |= {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "loadBalancerSourceRanges": list(callers)}
    return service


def hosts(r: Relations, mesh: Name) -> list[HostName]:
    """Return the hosts that a mesh's ingress answers to: those of its doors, and the first of the system, which is the SNI it is asked by."""
    t = r.t
    return sorted({t.hosts[0], *(t.host_of(door) for door in r.doors_of_mesh[mesh])})


def gateway(r: Relations, mesh: Name, server_name: HostName | None = None) -> Manifest:
    """Return the TLS server of a mesh's ingress; `server_name` is a further name by which its caller asks for it (SNI)."""
    server = {
        "port": {"number": names.HTTPS_PORT, "name": "https", "protocol": "HTTPS"},
        "hosts": traffic.served([*hosts(r, mesh), *([server_name] if server_name else [])]),
        "tls": {
            "mode": "MUTUAL",
            "credentialName": names.INGRESS_SERVER_SECRET,
            "subjectAltNames": [f"{names.SPIFFE}{names.GATEWAY_IDENTITY}"],
            "minProtocolVersion": MINIMUM_TLS,
        },
    }
    spec = {"selector": gateway_labels(names.INGRESS), "servers": [server]}
    return manifest(traffic.API, "Gateway", names.INGRESS, r.t.meshes[mesh].ingress, spec)


def routes(r: Relations, mesh: Name) -> Iterator[Manifest]:
    """Yield one list of routes for each host, narrower paths first: two lists for one host would have no order."""
    namespace = r.t.meshes[mesh].ingress
    by_host: defaultdict[HostName, list[tuple[str, Name, Door]]] = defaultdict(list)
    for name, door in r.t.doors.items():
        if r.t.mesh_of(door.service) == mesh:
            by_host[r.t.host_of(door)] += [(pattern, name, door) for pattern in door.paths]
    for host, entries in sorted(by_host.items()):
        entries.sort(key=lambda entry: (specificity(entry[0]), entry[1]))
        http: list[dict[str, Any]] = []
        for name, group in groupby(entries, key=lambda entry: entry[1]):
            http += [{"name": name, **route} for route in _door(r, r.t.doors[name], [pattern for pattern, _, _ in group])]
        spec = {"hosts": [host], "gateways": [f"{namespace}/{names.INGRESS}"], "exportTo": [traffic.HERE], "http": http}
        yield manifest(traffic.API, "VirtualService", host, namespace, spec)


def _door(r: Relations, door: Door, patterns: list[str]) -> Iterator[dict[str, Any]]:
    t = r.t
    conditions = [_condition(t, door, pattern) for pattern in patterns]
    edits = {"request": {"remove": _foreign_headers(t, door), **_said_again(door)}, "response": {"remove": list(SAID_TO_BROWSERS)}}
    changes: dict[str, Any] = {"headers": edits}
    if door.rewrite:
        changes["rewrite"] = {"uriRegexRewrite": {"match": f"^{re.escape(door.rewrite.prefix)}", "rewrite": door.rewrite.replacement}}
    found = (
        [traffic.to_version(r, door.service, door.version)]
        if door.version is not None and door.service in t.services
        else traffic.call_routes(r, door.service)
    )
    for route in found:
        own = route.get("match", [{}])
        yield {**route, "match": [_both(condition, extra) for extra in own for condition in conditions], **changes}


def _condition(t: Topology, door: Door, pattern: str) -> dict[str, Any]:
    method = {"exact": door.methods[0]} if len(door.methods) == 1 else {"regex": "|".join(door.methods)}
    condition: dict[str, Any] = {"uri": routed_path(pattern), "method": method}
    if (version := t.version_header(door)) is not None:
        header, value = version
        condition["headers"] = {header: {"exact": value}}
    return condition


def _both(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    headers = {**left.get("headers", {}), **right.get("headers", {})}
    return {**left, **right, **({"headers": headers} if headers else {})}


def _said_again(door: Door) -> dict[str, Any]:
    """Return what the ingress has to say itself of a door whose callers show keys of one tier.

    The gateway says it too; but where tokens carry a tier, the proxy takes that header off every request before it looks for a
    token (`claim_to_headers` of Envoy's jwt_authn), seen with Istio 1.31.
    """
    tier = door.auth.only_tier if isinstance(door.auth, ApiKeyAuth) else None
    return {"set": {names.TIER_HEADER: tier}} if tier else {}


def _foreign_headers(t: Topology, door: Door) -> list[str]:
    """Return the identity headers that nobody vouches for on this door: whatever they say was said by the client."""
    vouched: set[str] = set()
    match door.auth:
        case JwtAuth():
            vouched = {names.SUBJECT_HEADER, *([names.TIER_HEADER] if t.issuers[door.auth.jwt].tier_claim else [])}
        case ApiKeyAuth():
            vouched = {names.CONSUMER_HEADER, names.TIER_HEADER}
        case _:
            pass
    return [header for header in names.IDENTITY_HEADERS if header not in vouched]
