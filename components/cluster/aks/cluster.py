"""The Azure environment beneath the layers, built before anything that runs in it."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import pulumi
import pulumi_azure_native as azure_native
import pulumi_azure_native.operationalinsights as analytics
import pulumi_azure_native.resources as groups

from components.authority import CertificateAuthority
from components.azure.addresses import Addresses, Subnet, plan
from components.azure.diagnostics import send
from components.azure.flows import flows
from components.azure.ids import place
from components.azure.land import AzureLand
from components.azure.settings import AzureSettings
from components.azure.sizes import SIZES
from components.azure.zones import MESH
from components.binding import Binding
from components.cluster.aks.flow_logs import FlowLogs
from components.cluster.aks.kubernetes import AksCluster
from components.cluster.aks.network import VirtualNetwork
from components.cluster.aks.vault import Vault
from components.cluster.kubernetes import provider
from components.component import Component
from components.contracts import ClusterOutputs, LoadBalancer, OutsideGateway
from topology.model.base import Name
from topology.model.door import JwtAuth
from topology.model.system import Topology

_ANNOTATION: Final = "service.beta.kubernetes.io/azure-load-balancer"


class Azure(Component, layer="cluster"):
    """Network, workspace, vault, authority and cluster of one environment."""

    land: AzureLand
    kubernetes: AksCluster

    def __init__(self, settings: AzureSettings, t: Topology, azure: pulumi.ProviderResource) -> None:
        """Register everything."""
        bare = place(settings)
        super().__init__("azure", {"location": settings.location, "size": str(settings.size)}, providers=[azure])
        group = groups.ResourceGroup(
            "group",
            groups.ResourceGroupArgs(resource_group_name=bare.group_name, location=bare.location),
            opts=pulumi.ResourceOptions(parent=self),
        )
        where = replace(bare, owner=group)
        addresses = plan(settings.network, doors_by_mesh(t))
        allowed = flows(settings.pods, key_set_ports(t), {exit_.port for exit_ in t.egress.values()})
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
        network = VirtualNetwork(settings, where, addresses, allowed, parent=self).network
        vault = Vault(settings, where, network, parent=self)
        self.land = AzureLand(
            settings=settings,
            place=where,
            addresses=addresses,
            network=network,
            vault=vault.vault,
            vault_ready=vault.ready,
            workspace=workspace,
            authority=CertificateAuthority("boundary", "perimeter boundary", parent=self).outputs,
        )
        send("vault", self.land, of=vault.vault_id, logs=("AuditEvent",), parent=self)
        # Who has asked what of the logs themselves.
        send("workspace", self.land, of=self.land.workspace_id, logs=("Audit",), parent=self, metrics=False)
        FlowLogs(self.land, parent=self)
        self.kubernetes = AksCluster(self.land, parent=self)
        self.register_outputs({"group": where.group_name, "network": settings.network})


def aks(binding: Binding, t: Topology) -> ClusterOutputs:
    """Register an Azure environment and return its cluster."""
    if binding.azure is None:
        raise TypeError("cluster aks without settings of Azure, which no stack file can say")
    settings = binding.azure
    azure = azure_native.Provider(
        "azure", azure_native.ProviderArgs(subscription_id=settings.subscription_id, tenant_id=settings.tenant_id)
    )
    made = Azure(settings, t, azure)
    outside = OutsideGateway(
        addresses=(made.land.addresses.of(Subnet.GATEWAY),),
        load_balancers={mesh: _load_balancer(mesh, made.land.addresses) for mesh in doors_by_mesh(t)},
        authority=made.land.authority,
    )
    cluster = provider(made.kubernetes.kubeconfig, after=made.kubernetes.ready)
    return ClusterOutputs(providers=(cluster, azure), gateway=outside, land=made.land)


def doors_by_mesh(t: Topology) -> dict[Name, list[Name]]:
    """Return the meshes that have doors, each with its doors."""
    found: dict[Name, list[Name]] = {}
    for name, door in t.doors.items():
        found.setdefault(t.mesh_of(door.service), []).append(name)
    return found


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
