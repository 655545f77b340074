"""Who may call whom, told by certificate: mutual TLS everywhere, nothing allowed but what one policy for each callee names."""

from collections.abc import Iterator
from typing import Any, Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.derive.operations import authorized, authorized_path, inner
from topology.derive.relations import Relations
from topology.edges import identity
from topology.model.base import HostName, Name, ServiceName
from topology.model.door import Door, JwtAuth
from topology.model.service import Operation
from topology.model.system import Egress, OutsideProtocol, Topology

API: Final = "security.istio.io/v1"

Rule = dict[str, Any]


def strict(t: Topology, mesh: Name) -> Manifest:
    """Return the mesh-wide demand for mutual TLS."""
    return manifest(API, "PeerAuthentication", "default", t.meshes[mesh].control_plane, {"mtls": {"mode": "STRICT"}})


def allow_nothing(t: Topology, mesh: Name) -> Manifest:
    """Return the mesh-wide policy that allows nothing: every other policy is an exception to it."""
    return manifest(API, "AuthorizationPolicy", "allow-nothing", t.meshes[mesh].control_plane, {})


def service_account(t: Topology, name: ServiceName) -> Manifest:
    """Return the identity of a service. Its token is mounted nowhere; Istio brings its own."""
    namespace = t.namespace_of(name)
    return manifest("v1", "ServiceAccount", name, namespace, labels={names.APP_LABEL: name}, automountServiceAccountToken=False)


def callee(r: Relations, name: ServiceName) -> Manifest:
    """Return the policy of one service: its callers, its doors and the bridges to it, each with its operations."""
    t, port = r.t, r.port(name)
    rules = [_rule(identity(t, call.caller), call.operations, port) for call in r.calls_to[name]]
    if doors := r.doors_to[name]:
        ingress = names.gateway_identity(t, t.mesh_of(name), names.INGRESS)
        rules.append(_rule(ingress, tuple(inner(door) for door in doors), port))
    if bridges := r.bridges_to[name]:
        bridge = names.gateway_identity(t, t.mesh_of(name), names.BRIDGE)
        rules.append(_rule(bridge, tuple(operation for b in bridges for operation in b.operations), port))
    return _policy(name, t.namespace_of(name), {names.APP_LABEL: name}, rules)


def ingress(r: Relations, mesh: Name) -> Manifest:
    """Return the policy of a mesh's ingress: only the gateway's certificate, and for each door its hosts, methods and paths.

    On a JWT door the request must also bear a token of the door's issuer with the claims that the issuer requires, and of one of
    the door's tiers where the issuer's tokens name one.
    """
    t = r.t
    rules = [_door(t, door) for door in r.doors_of_mesh[mesh]]
    return _policy(names.INGRESS, t.meshes[mesh].ingress, gateway_labels(names.INGRESS), rules)


def egress(r: Relations, mesh: Name) -> Manifest:
    """Return the policy of a mesh's egress gateway: for each outside host the services that may call it.

    Where no request says which host is meant, the connection does: sidecars ask for each host by its name (SNI).
    """
    t = r.t
    rules = [
        {"from": [{"source": {"principals": [identity(t, service) for service in exit_.services]}}], **_asking(exit_)}
        for _, exit_ in r.egress_of_mesh[mesh]
    ]
    return _policy(names.EGRESS, t.meshes[mesh].egress, gateway_labels(names.EGRESS), rules)


def bridge(r: Relations, mesh: Name) -> Manifest:
    """Return the policy of a mesh's side of the internal gateway: callers of this mesh going out, other meshes' sides coming in."""
    t, namespace = r.t, r.t.meshes[mesh].bridge
    rules = [_crossing(identity(t, b.source), names.fqdn(b.target, namespace), b.operations) for b in r.bridges_out_of_mesh[mesh]]
    rules += [
        _crossing(names.gateway_identity(t, t.mesh_of(b.source), names.BRIDGE), names.bridged_host(t, b.target), b.operations)
        for b in r.bridges_into_mesh[mesh]
    ]
    return _policy(names.BRIDGE, namespace, gateway_labels(names.BRIDGE), rules)


def token_checks(r: Relations, mesh: Name) -> Iterator[Manifest]:
    """Yield the check of outside tokens at a mesh's ingress: the gateway's word is not enough. The token ends here."""
    t = r.t
    used = dict.fromkeys(door.auth.jwt for door in r.doors_of_mesh[mesh] if isinstance(door.auth, JwtAuth))
    if not used:
        return
    jwt_rules: list[dict[str, Any]] = []
    for name in used:
        issuer = t.issuers[name]
        headers = [{"header": names.SUBJECT_HEADER, "claim": "sub"}]
        if issuer.tier_claim:
            headers.append({"header": names.TIER_HEADER, "claim": issuer.tier_claim})
        jwt_rules.append(
            {
                "issuer": issuer.issuer,
                "audiences": list(issuer.audiences),
                "jwksUri": issuer.jwks_uri,
                "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}],
                "outputClaimToHeaders": headers,
                "timeout": issuer.fetch_timeout,
                "forwardOriginalToken": False,
            }
        )
    spec = {"selector": {"matchLabels": gateway_labels(names.INGRESS)}, "jwtRules": jwt_rules}
    yield manifest(API, "RequestAuthentication", names.INGRESS, t.meshes[mesh].ingress, spec)


def gateway_labels(role: str) -> dict[str, str]:
    """Return the labels of the pods of a mesh's own gateway, as Istio's gateway chart sets them for a release of that name."""
    return {names.APP_LABEL: role, "istio": role}


def hosts(host: HostName) -> list[str]:
    """Return a host as a policy must list it: with and without a port (Istio bulletin 2021-008)."""
    return [host, f"{host}:*"]


def _asking(exit_: Egress) -> Rule:
    """Return what tells requests or connections for an outside host from others."""
    if exit_.protocol is OutsideProtocol.TCP:
        return {"when": [{"key": "connection.sni", "values": [exit_.host]}]}
    return {"to": [{"operation": {"hosts": hosts(exit_.host)}}]}


def _door(t: Topology, door: Door) -> Rule:
    source: dict[str, Any] = {"principals": [names.GATEWAY_IDENTITY]}
    conditions: list[dict[str, Any]] = []
    if isinstance(door.auth, JwtAuth):
        issuer = t.issuers[door.auth.jwt]
        source["requestPrincipals"] = [f"{issuer.issuer}/*"]
        conditions += [{"key": f"request.auth.claims[{claim}]", "values": list(values)} for claim, values in issuer.required_claims.items()]
        if issuer.tier_claim and door.tiers:
            conditions.append({"key": f"request.auth.claims[{issuer.tier_claim}]", "values": list(door.tiers)})
    if (version := t.version_header(door)) is not None:
        header, value = version
        conditions.append({"key": f"request.headers[{header}]", "values": [value]})
    operation = {
        "hosts": hosts(t.host_of(door)),
        "methods": list(door.methods),
        "paths": [authorized_path(pattern) for pattern in door.paths],
    }
    rule: Rule = {"from": [{"source": source}], "to": [{"operation": operation}]}
    return {**rule, "when": conditions} if conditions else rule


def _crossing(principal: str, asked: HostName, operations: tuple[Operation, ...]) -> Rule:
    to = [{"operation": {"hosts": hosts(asked), **entry["operation"]}} for entry in authorized(operations)]
    return {"from": [{"source": {"principals": [principal]}}], "to": to}


def _rule(principal: str, operations: tuple[Operation, ...], port: int) -> Rule:
    return {"from": [{"source": {"principals": [principal]}}], "to": authorized(operations, port)}


def _policy(name: Name, namespace: Name, pods: dict[str, str], rules: list[Rule]) -> Manifest:
    """Return an ALLOW policy; without rules it refuses everyone."""
    spec: dict[str, Any] = {"selector": {"matchLabels": pods}, "action": "ALLOW"}
    if rules:
        spec["rules"] = rules
    return manifest(API, "AuthorizationPolicy", name, namespace, spec)
