"""Every object that is derived from a topology, and small systems to derive them from."""

from collections.abc import Iterator
from typing import Any

import yaml

from topology.derive import (
    bridge,
    certificates,
    composition,
    counters,
    egress,
    fences,
    identity,
    ingress,
    limits,
    names,
    namespaces,
    network,
    ratelimit,
    telemetry,
    traffic,
    workloads,
)
from topology.derive.fences import Surroundings
from topology.derive.manifest import Manifest
from topology.derive.relations import Relations
from topology.derive.workloads import Images
from topology.model.system import Topology

AROUND = Surroundings(inside=("10.0.0.0/8", "192.168.0.0/16"), api_server=("10.96.0.1/32",), api_server_ports=(443,))
IMAGES = Images(demo="demo:1", composition="nginx:1")

HEAD = """\
system: shop
hosts: [api.shop.example]
meshes: {main: {trustDomain: shop.example}}
issuers:
  clients: {issuer: "https://login.shop.example", audiences: [shop], jwksUri: "https://login.shop.example/keys", tierClaim: tier}
tiers: {standard: {limits: [{requests: 20, per: second}]}}
consumers: {bob: {tier: standard}}
"""
"""The beginning of a small system; tests write its services, doors and the rest."""


def relations(text: str, *, head: str = HEAD) -> Relations:
    """Return the relations of a small system. Laws are not asked: a test says only what it is about."""
    return Relations(Topology.model_validate(yaml.safe_load(head + text)))


def objects(t: Topology) -> Iterator[Manifest]:
    """Yield every derived object of a topology."""
    r = Relations(t)
    yield from namespaces.platform()
    yield from namespaces.control_planes(t)
    yield from namespaces.applications(t)
    yield from certificates.authorities(t)
    yield from certificates.leaves(t)
    if counters.tiers_count_globally(t):
        yield from counters.redis("redis:1", [network.layer(names.GATEWAY_NAMESPACE, names.GATEWAY)])
    for mesh in t.meshes:
        yield from _mesh(r, mesh)
    for name in t.services:
        yield from workloads.workload(r, name, IMAGES)
        yield from _boundary(r, name)
    for name in t.compositions:
        yield from composition.workload(r, name, IMAGES)
        yield from _boundary(r, name)


def _mesh(r: Relations, mesh: str) -> Iterator[Manifest]:
    t, m = r.t, r.t.meshes[mesh]
    roles = {names.INGRESS: r.opens(mesh), names.EGRESS: r.exits(mesh), names.BRIDGE: r.bridging(mesh)}
    used = {role: getattr(m, role) for role, wanted in roles.items() if wanted}
    yield from namespaces.gateways(mesh, tuple(used.values()))
    for namespace in used.values():
        yield network.default_deny(namespace)
    yield fences.control_plane(r, mesh, AROUND)
    yield identity.strict(t, mesh)
    yield identity.allow_nothing(t, mesh)
    yield telemetry.mesh_wide(r, mesh, traced=True)
    yield from telemetry.audited(r, mesh, traced=True)
    policies = {names.INGRESS: identity.ingress, names.EGRESS: identity.egress, names.BRIDGE: identity.bridge}
    for role, namespace in used.items():
        yield fences.gateway(r, mesh, role, AROUND)
        yield policies[role](r, mesh)
        yield ingress.mesh_gateway_service(role, namespace)
    if r.opens(mesh):
        yield from identity.token_checks(r, mesh)
        yield ingress.gateway(r, mesh)
        yield from ingress.routes(r, mesh)
    yield from egress.documents(r, mesh)
    if r.bridging(mesh):
        yield from bridge.services(r, mesh)
        yield from bridge.documents(r, mesh)
    if ratelimit.limited(r, mesh):
        yield namespaces.member(ratelimit.namespace_of(mesh), mesh)
        yield from ratelimit.rate_limit_service(r, mesh, "ratelimit:1", "redis:1")


def _boundary(r: Relations, name: str) -> Iterator[Manifest]:
    yield identity.service_account(r.t, name)
    yield workloads.service(r, name)
    yield fences.service(r, name, AROUND)
    yield identity.callee(r, name)
    yield traffic.sidecar(r, name)
    yield traffic.destination_rule(r, name)
    optional = (
        traffic.virtual_service(r, name),
        limits.local(r, name),
        ratelimit.filter_for(r, name),
        telemetry.service(r, name, traced=True),
    )
    yield from (document for document in optional if document is not None)


def spec(document: Manifest | None) -> dict[str, Any]:
    """Return what an object says."""
    assert document is not None
    return document["spec"]
