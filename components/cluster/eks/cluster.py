"""The AWS environment beneath the layers, built before anything that runs in it."""

from collections.abc import Container
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from components.aws import flows
from components.aws.addresses import Tier, plan
from components.aws.keys import for_logs, key
from components.aws.land import AwsLand
from components.aws.names import names_of
from components.aws.settings import AwsSettings
from components.aws.sizes import SIZES
from components.binding import Binding
from components.cluster.eks.endpoints import Endpoints
from components.cluster.eks.flow_logs import flow_logs
from components.cluster.eks.kubernetes import EksCluster
from components.cluster.eks.network import Vpc
from components.component import Component
from components.contracts import ClusterOutputs, OutsideEdge
from components.placement import has_nginx_behind_balancer
from topology.model.base import Name
from topology.model.door import JwtAuth
from topology.model.system import Topology


class Aws(Component, layer="cluster"):
    """Network, endpoints, logs, keys and cluster of one environment."""

    land: AwsLand
    kubernetes: pulumi.ProviderResource

    def __init__(self, binding: Binding, settings: AwsSettings, t: Topology, provider: pulumi.ProviderResource) -> None:
        """Register everything."""
        super().__init__("aws", {"region": settings.region, "size": str(settings.size)}, providers=[provider])
        names, size = names_of(settings), SIZES[settings.size]
        allowed = (
            *flows.cluster(outside_ports(t, binding.private_hosts)),
            *flows.private_hosts(t, binding.private_hosts),
            *flows.private_operators(settings.private_operators),
        )
        network = Vpc(names, plan(settings.network, settings.zones), size, allowed, parent=self)
        log_key = key("logs", names, parent=self, statements=(for_logs(names),))
        flow_logs(names, network.outputs.vpc, key=log_key, days=size.log_days, parent=self)
        endpoints = Endpoints(names, network.outputs, network.private_tables, parent=self)
        made = EksCluster(settings, names, network.outputs, log_key=log_key, after=endpoints.ready, parent=self)
        self.kubernetes = made.provider
        self.land = AwsLand(settings=settings, names=names, network=network.outputs, log_key=log_key, cluster=made.name)
        self.register_outputs({"cluster": names.name, "network": settings.network})


def eks(binding: Binding, t: Topology) -> ClusterOutputs:
    """Register an AWS environment and return its cluster."""
    if binding.aws is None:
        raise TypeError("cluster eks without settings of AWS, which no stack file can say")
    settings = binding.aws
    tags = aws.ProviderDefaultTagsArgs(tags={"perimeter.dev/system": t.system})
    # An account that is not the stack file's is an error before anything is made.
    given = aws.ProviderArgs(region=settings.region, allowed_account_ids=[settings.account_id], default_tags=tags)
    provider = aws.Provider("aws", given)
    made = Aws(binding, settings, t, provider)
    balancer = OutsideEdge(addresses=made.land.network.addresses.ranges(Tier.PUBLIC))
    edge = None if has_nginx_behind_balancer(binding, t) else balancer
    return ClusterOutputs(providers=(made.kubernetes, provider), gateway=None, edge=edge, land=made.land)


def outside_ports(t: Topology, private: Container[Name]) -> set[int]:
    """Return the ports of the internet that gateway, istiod and egress gateway reach: of issuers' key sets and of hosts that are not private."""
    issuers = [t.issuers[name] for name in {door.auth.jwt for door in t.doors.values() if isinstance(door.auth, JwtAuth)}]
    key_sets = {urlsplit(issuer.jwks_uri).port or 443 for issuer in issuers}
    return key_sets | {exit_.port for name, exit_ in t.egress.items() if name not in private}
