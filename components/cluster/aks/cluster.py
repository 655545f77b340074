"""The Azure environment beneath the layers, built before anything that runs in it."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import pulumi
import pulumi_azure_native as azure_native
import pulumi_azure_native.operationalinsights as analytics
import pulumi_azure_native.resources as groups

from components.authority import CertificateAuthority
from components.azure.addresses import FOR_PODS, Addresses, Subnet, plan
from components.azure.diagnostics import DDOS_LOGS, send
from components.azure.edge_address import EdgeAddress
from components.azure.flows import flows, flows_through_gateway, flows_to_host, flows_to_pods
from components.azure.ids import place
from components.azure.land import AzureLand
from components.azure.settings import AzureSettings
from components.azure.sizes import SIZES
from components.azure.zones import MESH
from components.binding import IN_CLUSTER, Binding
from components.cluster.aks.flow_logs import FlowLogs
from components.cluster.aks.kubernetes import AksCluster
from components.cluster.aks.network import Layout, VirtualNetwork
from components.cluster.aks.public_issuer import HostProofs
from components.cluster.aks.vault import Vault
from components.cluster.kubernetes import provider
from components.component import Component
from components.contracts import ClusterOutputs, LoadBalancer, OutsideGateway, PublicIssuer
from components.ways import inside, outside
from topology.model.base import Name
from topology.model.door import JwtAuth
from topology.model.system import Topology

_ANNOTATION: Final = "service.beta.kubernetes.io/azure-load-balancer"


class Azure(Component, layer="cluster"):
    """Network, workspace, vault, authority and cluster of one environment."""

    land: AzureLand
    kubernetes: AksCluster
    issuer: PublicIssuer | None

    def __init__(self, binding: Binding, t: Topology, settings: AzureSettings, azure: pulumi.ProviderResource) -> None:
        """Register everything."""
        bare = place(settings)
        super().__init__("azure", {"location": settings.location, "size": str(settings.size)}, providers=[azure])
        group = groups.ResourceGroup(
            "group",
            groups.ResourceGroupArgs(resource_group_name=bare.group_name, location=bare.location),
            opts=pulumi.ResourceOptions(parent=self),
        )
        where = replace(bare, owner=group)
        address = EdgeAddress(settings, bare, parent=self) if inside(binding, t) else None
        layout = _layout(binding, t, settings, address)
        workspace = analytics.Workspace(
            "workspace",
            analytics.WorkspaceArgs(
                workspace_name=where.of("log"),
                resource_group_name=where.group,
                location=where.location,
                sku=analytics.WorkspaceSkuArgs(name=analytics.WorkspaceSkuNameEnum.PER_GB2018),
                retention_in_days=SIZES[settings.size].log_days,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        network = VirtualNetwork(settings, where, layout, parent=self).network
        vault = Vault(settings, where, network, parent=self)
        self.land = AzureLand(
            settings=settings,
            place=where,
            addresses=layout.addresses,
            subnets=layout.subnets,
            network=network,
            vault=vault.vault,
            vault_ready=vault.ready,
            workspace=workspace,
            # Whichever hosts there are today: with another authority, certificates that are in use would be trusted by nobody.
            authority=None
            if binding.gateway in IN_CLUSTER
            else CertificateAuthority("boundary", "perimeter boundary", parent=self).outputs,
            address=address,
        )
        if address:
            send("edge-address", self.land, of=address.address_id, logs=DDOS_LOGS, parent=self)
        send("vault", self.land, of=vault.vault_id, logs=("AuditEvent",), parent=self)
        # Who has asked what of the logs themselves.
        send("workspace", self.land, of=self.land.workspace_id, logs=("Audit",), parent=self, metrics=False)
        FlowLogs(self.land, parent=self)
        self.kubernetes = AksCluster(self.land, parent=self)
        zone = settings.zone
        self.issuer = HostProofs(zone, self.land, self.kubernetes.token_issuer, parent=self).issuer if zone and address else None
        self.register_outputs({"group": where.group_name, "network": settings.network})


def aks(binding: Binding, t: Topology) -> ClusterOutputs:
    """Register an Azure environment and return its cluster."""
    if binding.azure is None:
        raise TypeError("cluster aks without settings of Azure, which no stack file can say")
    settings = binding.azure
    azure = azure_native.Provider(
        "azure", azure_native.ProviderArgs(subscription_id=settings.subscription_id, tenant_id=settings.tenant_id)
    )
    made = Azure(binding, t, settings, azure)
    cluster = provider(made.kubernetes.kubeconfig, after=made.kubernetes.ready)
    gateway = _outside(made.land, outside(binding, t)) if made.land.authority else None
    return ClusterOutputs(providers=(cluster, azure), gateway=gateway, issuer=made.issuer, land=made.land)


def _layout(binding: Binding, t: Topology, settings: AzureSettings, address: EdgeAddress | None) -> Layout:
    around = outside(binding, t)
    private = binding.private_hosts
    exits = {exit_.port for name, exit_ in t.egress.items() if name not in private}
    allowed = [
        *(flows_through_gateway(key_set_ports(around)) if around else ()),
        *(flows_to_pods() if address else ()),
        *flows(settings.pods, {*key_set_ports(t), *exits}, settings.private_operators),
        *(flow for name, ranges in private.items() for flow in flows_to_host(name, ranges, t.egress[name].port)),
    ]
    return Layout(
        addresses=plan(settings.network, (around or t).doors_by_mesh()),
        subnets=tuple(Subnet) if around else FOR_PODS,
        flows=allowed,
        public_address=address.address if address else None,
    )


def _outside(land: AzureLand, t: Topology | None) -> OutsideGateway:
    return OutsideGateway(
        addresses=(land.addresses.of(Subnet.GATEWAY),) if t else (),
        load_balancers={mesh: _load_balancer(mesh, land.addresses) for mesh in t.doors_by_mesh()} if t else {},
        authority=land.boundary,
    )


def key_set_ports(t: Topology) -> list[int]:
    """Return the ports of the issuers that doors trust, sorted: of their key sets and of their OpenID configurations."""
    used = [t.issuers[name] for name in {door.auth.jwt for door in t.doors.values() if isinstance(door.auth, JwtAuth)}]
    return sorted({urlsplit(url).port or 443 for issuer in used for url in (issuer.issuer, issuer.jwks_uri)})


def _load_balancer(mesh: Name, addresses: Addresses) -> LoadBalancer:
    address = str(addresses.ingresses[mesh])
    return LoadBalancer(
        address=address,
        server_name=f"{mesh}.{MESH}",
        annotations={
            f"{_ANNOTATION}-internal": "true",
            f"{_ANNOTATION}-internal-subnet": str(Subnet.INGRESS),
            f"{_ANNOTATION}-ipv4": address,
        },
    )
