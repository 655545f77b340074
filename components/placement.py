"""Where the outer layers run: the stack file says which products play them, and in AWS the topology whether nginx joins its edge."""

from typing import Any

from components.binding import IN_CLUSTER, Binding, EdgeKind, GatewayKind
from components.ways import ways
from topology.derive import names
from topology.model.door import PublicAuth
from topology.model.system import Topology


def has_nginx_behind_balancer(binding: Binding, t: Topology) -> bool:
    """Say whether nginx stands between an Application Load Balancer and the gateway: where somebody must keep a public door's answers.

    Kong keeps them itself.
    """
    cached = any(door.cache and isinstance(door.auth, PublicAuth) for door in t.doors.values())
    return cached and binding.edge is EdgeKind.APPLICATION_LOAD_BALANCER and binding.gateway is not GatewayKind.KONG


def layers_in_cluster(binding: Binding, t: Topology) -> frozenset[str]:
    """Return the outer layers, `edge` and `gateway`, that are pods of the cluster, or have some there."""
    played: list[tuple[str, EdgeKind | GatewayKind]] = [
        pair for way in ways(binding, t) for pair in ((names.EDGE, way.binding.edge), (names.GATEWAY, way.binding.gateway))
    ]
    found = {layer for layer, product in played if product in IN_CLUSTER}
    return frozenset(found | ({names.EDGE} if has_nginx_behind_balancer(binding, t) else set[str]()))


def environment(binding: Binding, t: Topology) -> dict[str, Any]:
    """Return who plays edge, gateway and cluster on each way into a system, outside in, and how large they are: for whoever reads the plan."""
    players = [
        [
            way.binding.edge,
            *([EdgeKind.NGINX] if has_nginx_behind_balancer(way.binding, way.t) else []),
            way.binding.gateway,
            binding.cluster,
        ]
        for way in ways(binding, t)
    ]
    cloud = binding.azure or binding.aws
    return {"ways": [list(map(str, way)) for way in players], **({"size": str(cloud.size)} if cloud else {})}
