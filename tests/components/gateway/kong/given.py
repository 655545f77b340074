"""What the tests of Kong's documents are given: topologies that Kong can carry, and a mesh's ingress."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pulumi

from components.binding import Binding, GatewayKind
from components.contracts import CounterStore, IngressOutputs
from components.gateway import routes
from components.gateway.kong import consumers, listeners, network, plugins, upstream
from tests.keys import PUBLIC_KEY
from topology.derive import names
from topology.derive.identity import gateway_labels
from topology.load import load
from topology.model.base import Name
from topology.model.system import Topology
from topology.preflights import by_door

MARKET_FILE = Path(__file__).with_name("market.topology.yaml")
MARKET = load(MARKET_FILE)
"""One door of each kind that Kong can carry."""

BINDING = Binding(topology="market.topology.yaml", gateway=GatewayKind.KONG)
NOTHING = cast(pulumi.Resource, None)
"""In place of a resource, which documents never look at."""
COUNTERS = CounterStore(
    host="redis.counters.svc.cluster.local", port=6379, namespace="counters", pod_labels={"app": "redis"}, ready=NOTHING
)


def within_reach(t: Topology) -> Topology:
    """Return a system without what Kong cannot carry: issuers whose keys are not pinned, tiers told by a claim."""
    issuers = {
        name: issuer.model_copy(update={"public_keys": issuer.public_keys or (PUBLIC_KEY,), "tier_claim": None})
        for name, issuer in t.issuers.items()
    }
    doors = {name: door.model_copy(update={"tiers": door.tiers[:1]}) for name, door in t.doors.items()}
    return t.model_copy(update={"issuers": issuers, "doors": doors})


def ingress(t: Topology, mesh: Name) -> IngressOutputs:
    """Return what a mesh's ingress says of itself."""
    return IngressOutputs(
        namespace=t.meshes[mesh].ingress,
        service="ingress",
        port=443,
        port_name="https",
        pod_labels=gateway_labels("ingress"),
        pod_port=8443,
        server_name=t.hosts[0],
        server_secret=names.INGRESS_SERVER_SECRET,
        ready=NOTHING,
    )


def ingresses(t: Topology) -> dict[Name, IngressOutputs]:
    """Return the ingress of each mesh that some door leads to."""
    return {mesh: ingress(t, mesh) for mesh in t.meshes if upstream.lanes(t, mesh)}


def documents(t: Topology) -> Iterator[dict[str, Any]]:
    """Yield every document of a system's Kong."""
    found = ingresses(t)
    yield network.fence(BINDING, found.values(), COUNTERS)
    yield routes.service(network.LABELS, network.POD_PORT)
    yield listeners.gateway_class()
    yield listeners.gateway(t)
    yield from plugins.shared(t, COUNTERS)
    yield from (consumers.api_key(consumer, "made-on-deploy") for consumer in consumers.keyed(t))
    yield from consumers.credentials(t)
    yield from consumers.consumers(t)
    for mesh, outputs in found.items():
        yield from upstream.services(t, mesh, outputs)
        yield upstream.grant(t, mesh, outputs)
    answers = by_door(t)
    for name, door in t.doors.items():
        yield from plugins.own_plugins(t, name)
        backend = upstream.backend(t, door, found[t.mesh_of(door.service)])
        yield from routes.routes(t, name, backend, [], plugins.annotations(t, name, answers.get(name)))
